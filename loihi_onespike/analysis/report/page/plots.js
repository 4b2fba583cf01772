"use strict";
// Plots: figures of BokehJS in the colours of the page.
const PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const DARK_PALETTE = ["#3C9BDC", "#F0803C", "#2CC295", "#E09CC3", "#F0B429", "#8ACBF2"];

const plots = {
  views: new Map(),

  palette() {
    return page.dark ? DARK_PALETTE : PALETTE;
  },

  /** A colour per name: the palette, or for many names a scale from blue over green to orange. */
  colors(count) {
    const few = plots.palette();
    if (count <= few.length) return few.slice(0, count);
    const lightness = page.dark ? 62 : 42;
    return Array.from({ length: count }, (_, i) => plots.hsl(235 - (215 * i) / (count - 1), 62, lightness));
  },

  /** BokehJS takes #rrggbb. */
  hsl(hue, saturation, lightness) {
    const [s, l] = [saturation / 100, lightness / 100];
    const a = s * Math.min(l, 1 - l);
    const part = (n) => {
      const k = (n + hue / 30 + 12) % 12;
      return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, "0");
    };
    return `#${part(0)}${part(8)}${part(4)}`;
  },

  figure(options) {
    const { x_label, y_label, grid = "both", tools = "box_zoom,reset,save", ...more } = options;
    const figure = Bokeh.Plotting.figure({
      sizing_mode: "stretch_width",
      tools,
      toolbar_location: "right",
      background_fill_color: null,
      border_fill_color: null,
      outline_line_color: null,
      min_border_right: 12,
      lod_threshold: null,
      ...more,
    });
    figure.toolbar.logo = null;
    figure.toolbar.autohide = true;
    // A drag scrolls the page on a touch screen; zooming is chosen in the tool bar.
    figure.toolbar.active_drag = null;
    // The frame of the zoom tool would leave a speck where it waits; its fill shows what is chosen.
    for (const tool of figure.toolbar.tools) if (tool.overlay) tool.overlay.line_color = null;
    const [ink, soft, line] = ["ink", "soft-ink", "line"].map(page.color);
    for (const axis of [...figure.below, ...figure.left]) {
      axis.axis_label_text_color = soft;
      axis.axis_label_text_font_style = "normal";
      axis.axis_label_text_font = "system-ui, sans-serif";
      axis.major_label_text_font = "system-ui, sans-serif";
      axis.axis_label_text_font_size = "13px";
      axis.major_label_text_font_size = "12px";
      axis.major_label_text_color = ink;
      axis.axis_line_color = line;
      axis.major_tick_line_color = line;
      axis.minor_tick_line_color = null;
    }
    for (const axis of figure.below) axis.axis_label = x_label ?? null;
    for (const axis of figure.left) axis.axis_label = y_label ?? null;
    for (const g of figure.center) {
      if (!("grid_line_color" in g)) continue;
      const vertical = g.dimension === 0;
      const shown = grid === "both" || (grid === "x" && vertical) || (grid === "y" && !vertical);
      g.grid_line_color = shown ? line : null;
    }
    return figure;
  },

  fromZero() {
    return new Bokeh.DataRange1d({ start: 0, range_padding: 0.05 });
  },

  source(data) {
    return new Bokeh.ColumnDataSource({ data });
  },

  hover(figure, tooltips, renderers, more = {}) {
    figure.add_tools(new Bokeh.HoverTool({ tooltips, renderers, point_policy: "follow_mouse", visible: false, ...more }));
  },

  /** Legend as a list of buttons above the plot, which wraps on a phone; a click hides and shows. */
  legend(id, items) {
    const list = document.createElement("ul");
    list.className = "legend";
    for (const [label, mark, color, ...renderers] of items) {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const swatch = document.createElement("span");
      swatch.className = `swatch ${mark}`;
      swatch.style.setProperty("--swatch", color);
      button.append(swatch, label);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        for (const renderer of renderers) renderer.visible = shown;
      });
      const entry = document.createElement("li");
      entry.append(button);
      list.append(entry);
    }
    const place = document.getElementById(id);
    place.parentElement.querySelector(".legend")?.remove();
    place.before(list);
  },

  /** A name of at most so many letters; the middle of a longer one is left out, since its ends tell it from others. */
  elided(name, most) {
    if (name.length <= most) return name;
    const head = Math.floor((most - 1) * 0.35);
    return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`;
  },

  /** Labels take at most two fifths of the width: names are shortened, and numbers stand further apart. */
  fitted(figure, width) {
    const most = Math.max(12, Math.floor((0.4 * width) / 6.5));
    for (const axis of figure.left)
      if (axis instanceof Bokeh.CategoricalAxis) axis.formatter.doFormat = (names) => names.map((name) => plots.elided(String(name), most));
    if (width < 420) for (const axis of figure.below) if (axis.ticker.desired_num_ticks > 4) axis.ticker.desired_num_ticks = 4;
  },

  /** Put a figure into its place, instead of the one that is there. */
  async show(id, figure) {
    const place = document.getElementById(id);
    plots.fitted(figure, place.clientWidth);
    const last = plots.views.get(id);
    const mine = (async () => {
      if (last) (await last)?.remove();
      place.replaceChildren();
      return Bokeh.Plotting.show(figure, place);
    })();
    plots.views.set(id, mine);
    return mine;
  },

  alt(id, text) {
    document.getElementById(id + "-alt").textContent = text;
  },

  /** Horizontal bars, one per name from the top. */
  rows(names, options) {
    return plots.figure({
      y_range: [...names].reverse(),
      height: 26 * names.length + (options.x_label ? 62 : 46),
      grid: "x",
      ...options,
    });
  },
};
