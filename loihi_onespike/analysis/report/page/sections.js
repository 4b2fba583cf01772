"use strict";
// The plots of every section. Each draws from its part of the document, and is drawn again when the theme changes.
const round = (x, digits = 3) => (x === null ? "unknown" : Number(x.toPrecision(digits)).toLocaleString("en"));
const energy = (nj) =>
  nj === null ? "unknown" : nj < 1e3 ? `${round(nj)} nJ` : nj < 1e6 ? `${round(nj / 1e3)} µJ` : `${round(nj / 1e6)} mJ`;
/** Unit of an axis of energies in nJ, and the factor to it. */
const unitOf = (values) => {
  const most = Math.max(...values);
  return most < 1e3 ? ["nJ", 1] : most < 1e6 ? ["µJ", 1e-3] : ["mJ", 1e-6];
};

const sections = {
  accuracy(found) {
    const rows = [["ann_accuracy", "ANN"], ["accuracy", "one-spike"], ["agreement", "same class"]]
      .filter(([key]) => found[key])
      .map(([key, name]) => ({ name, ...found[key] }));
    const low = Math.min(...rows.map((r) => r.interval[0])) * 100;
    const high = Math.max(...rows.map((r) => r.interval[1])) * 100;
    const margin = Math.max((high - low) * 0.15, 0.1);
    const colors = plots.colors(3);
    const source = plots.source({
      name: rows.map((r) => r.name),
      value: rows.map((r) => 100 * r.value),
      low: rows.map((r) => 100 * r.interval[0]),
      high: rows.map((r) => 100 * r.interval[1]),
      said: rows.map((r) => `${(100 * r.value).toFixed(2)} %`),
      range: rows.map((r) => `${(100 * r.interval[0]).toFixed(2)} to ${(100 * r.interval[1]).toFixed(2)} %`),
      count: rows.map((r) => `${r.correct.toLocaleString("en")} of ${r.total.toLocaleString("en")}`),
      color: rows.map((r, i) => colors[i]),
    });
    const figure = plots.rows(rows.map((r) => r.name), {
      x_label: "per cent of the images",
      x_range: [low - margin, Math.min(high + margin, 100 + margin / 3)],
      height: 44 * rows.length + 66,
    });
    const field = (name) => ({ field: name });
    const style = { source, line_color: field("color") };
    figure.segment({ x0: field("low"), x1: field("high"), y0: field("name"), y1: field("name"), line_width: 4, ...style });
    const dots = figure.scatter({ x: field("value"), y: field("name"), size: 13, fill_color: field("color"), ...style });
    plots.hover(figure, [["", "@name"], ["share", "@said"], ["95 % interval", "@range"], ["images", "@count"]], [dots]);
    return plots.show("plot-accuracy", figure);
  },

  errors(found) {
    const share = (value) => (found.whole ? (100 * value) / found.whole : 0);
    const names = found.layers.map((y) => y.name);
    const figure = plots.rows(names, { x_label: "% of the network's error", x_range: plots.fromZero(), height: 26 * names.length + 72 });
    const colors = plots.palette();
    const left = names.map(() => 0);
    const items = [];
    Object.entries(found.causes).forEach(([key, cause], i) => {
      const values = found.layers.map((y) => (y.causes[key] ? share(y.causes[key].alone) : 0));
      const right = values.map((v, j) => left[j] + v);
      const source = plots.source({
        name: names, left: [...left], right, cause: names.map(() => cause.name),
        alone: values.map((v) => `${round(v)} %`),
        gain: found.layers.map((y) => (y.causes[key] ? `${round(share(y.causes[key].loss))} ± ${round(share(y.causes[key].uncertainty), 2)} %` : "–")),
      });
      const bars = figure.hbar({
        y: { field: "name" }, left: { field: "left" }, right: { field: "right" }, height: 0.7, source,
        fill_color: colors[i % colors.length], line_color: null,
      });
      plots.hover(figure, [["", "@name"], ["cause", "@cause"], ["alone", "@alone"], ["gain without it", "@gain"]], [bars]);
      items.push([cause.name, "box", colors[i % colors.length], bars]);
      right.forEach((v, j) => (left[j] = v));
    });
    const together = figure.scatter({
      x: { field: "x" }, y: { field: "name" }, marker: "dash", angle: Math.PI / 2, size: 18, line_width: 3, line_color: page.color("ink"),
      source: plots.source({ name: names, x: found.layers.map((y) => share(y.total.alone)), said: found.layers.map((y) => `${round(share(y.total.alone))} %`) }),
    });
    plots.hover(figure, [["", "@name"], ["all causes together", "@said"]], [together]);
    plots.legend("plot-errors", [...items, ["all of the population together", "bar", page.color("ink"), together]]);
    const costs = new Map(found.costs.map((c) => [c.name, c]));
    const kinds = [
      ["plot-price-spikes", (p) => p.spikes_per_neuron * p.neurons, round],
      ["plot-price-operations", (p) => p.synaptic_operations, round],
      ["plot-price-energy", (p) => p.energy_nj, energy],
    ];
    const made = kinds.map(([id, price, said], i) => {
      const values = names.map((name) => price(costs.get(name)));
      const [unit, factor] = said === energy ? unitOf(values) : ["", 1];
      const bars = plots.rows(names, { x_label: unit, x_range: plots.fromZero(), height: 24 * names.length + 62 });
      for (const axis of bars.below) {
        axis.ticker.desired_num_ticks = 4;
        axis.formatter = new Bokeh.NumeralTickFormatter({ format: "0.[0]a" });
      }
      const source = plots.source({ name: names, value: values.map((v) => (v ?? 0) * factor), said: values.map((v) => said(v)) });
      const drawn = bars.hbar({
        y: { field: "name" }, right: { field: "value" }, left: 0, height: 0.7, source, line_color: null, fill_color: colors[i],
      });
      plots.hover(bars, [["", "@name"], ["per image", "@said"]], [drawn]);
      return plots.show(id, bars);
    });
    return Promise.all([plots.show("plot-errors", figure), ...made]);
  },

  spikes(found, image, layer) {
    const p = found.populations[layer];
    const shown = found.images[image];
    const colors = plots.palette();
    const data = { step: [], neuron: [], place: [], phase: [], color: [] };
    const place = (n) => {
      const axes = [...p.shape].reverse().map((size) => {
        const at = n % size;
        n = Math.floor(n / size);
        return at;
      });
      return axes.reverse().join(", ");
    };
    p.phases[image].forEach((word, i) => {
      const phases = p.binary
        ? Array.from({ length: p.timesteps }, (_, k) => k + 1).filter((k) => (word >> (p.timesteps - k)) & 1)
        : word === 0 ? [] : [Math.abs(word)];
      for (const phase of phases) {
        data.step.push(p.first_step + phase - 1);
        data.neuron.push(i * p.step);
        data.place.push(place(i * p.step));
        data.phase.push(phase);
        data.color.push(word < 0 ? colors[1] : colors[0]);
      }
    });
    const raster = plots.figure({
      x_label: "global step", y_label: "neuron", height: 340,
      x_range: [p.first_step - 0.6, p.first_step + p.timesteps - 0.4], y_range: [p.neurons + 0.02 * p.neurons, -0.02 * p.neurons - 0.5],
    });
    const dots = raster.scatter({
      x: { field: "step" }, y: { field: "neuron" }, size: p.neurons > 1500 ? 4 : 6, line_color: null,
      fill_color: { field: "color" }, fill_alpha: 0.85, source: plots.source(data),
    });
    plots.hover(raster, [["neuron", "@neuron [@place]"], ["phase", "@phase"], ["global step", "@step"]], [dots]);
    const mean = `mean of ${found.counted_images} image${found.counted_images === 1 ? "" : "s"}`;
    const [silent, ...sent] = p.histograms[image];
    const phases = sent.map((_, k) => k + 1);
    const histogram = plots.figure({ x_label: "phase", y_label: "spikes", height: 340, grid: "y", x_range: [0.4, p.timesteps + 0.6], y_range: plots.fromZero() });
    for (const axis of histogram.below) axis.ticker.mantissas = [1, 2, 5];
    const ends = plots.source({ phase: phases, sent, mean: p.mean_spikes, said: p.mean_spikes.map((m) => round(m)) });
    const bars = histogram.vbar({ x: { field: "phase" }, top: { field: "sent" }, bottom: 0, width: 0.85, fill_color: colors[0], line_color: null, source: ends });
    const means = histogram.scatter({ x: { field: "phase" }, y: { field: "mean" }, marker: "dash", size: 14, line_width: 3, line_color: page.color("mark"), source: ends });
    plots.hover(histogram, [["phase", "@phase"], ["this image", "@sent"], [mean, "@said"]], [bars]);
    plots.legend("plot-phases", [["this image", "box", colors[0], bars], [mean, "line", page.color("mark"), means]]);
    const count = sent.reduce((a, b) => a + b, 0);
    const some = p.step > 1 ? ` One neuron in ${p.step} is drawn.` : "";
    const signs = p.phases[image].some((w) => w < 0) ? " Orange: negative spikes." : "";
    plots.alt("plot-raster", `${p.name}, image ${image + 1}: ${count.toLocaleString("en")} spikes of ${p.neurons.toLocaleString("en")} neurons.${some}${signs}`);
    plots.alt("plot-phases", `${round((100 * silent) / p.neurons)} % of the neurons send no spike.` + (p.binary ? " The input code has a spike per set bit, the most significant first." : " Early phases are large values, of either sign where spikes have two."));
    sections.picture(shown);
    const facts = [["label", shown.label], ["network", shown.chosen], ["ANN", shown.ann], ["result", shown.right === null ? null : shown.right ? "right" : "wrong"], ["spikes in this population", count.toLocaleString("en")], ["per neuron", round(count / p.neurons)]];
    document.getElementById("spikes-facts").replaceChildren(
      ...facts.filter(([, value]) => value !== null).map(([name, value]) => {
        const entry = document.createElement("div");
        const term = document.createElement("dt");
        term.textContent = name;
        const said = document.createElement("dd");
        said.textContent = value;
        entry.append(term, said);
        return entry;
      }),
    );
    return Promise.all([plots.show("plot-raster", raster), plots.show("plot-phases", histogram)]);
  },

  picture(shown) {
    const canvas = document.getElementById("spikes-picture");
    canvas.hidden = !shown.picture;
    if (!shown.picture) return;
    const { height, width, pixels } = shown.picture;
    const channels = pixels.length / (height * width);
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)];
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", `Input image${shown.label === null ? "" : " of class " + shown.label}, ${width} by ${height} pixels`);
  },

  levels(found, layer) {
    const p = found.populations[layer];
    const colors = plots.palette();
    const [low, high] = p.edges;
    const width = (high - low) / p.counts.length;
    const left = p.counts.map((_, i) => low + i * width);
    const shares = p.counts.map((n) => (100 * n) / p.values);
    // The bin of silent neurons may hold most of the values; the scale is that of the others, up to three times as high.
    const ordered = [...shares].sort((a, b) => b - a);
    const top = Math.min(ordered[0], Math.max(3 * ordered[2], 0.1)) * 1.22 || 1;
    const figure = plots.figure({ x_label: "v · unit / (gain · λ)", y_label: "% of the values", height: 360, grid: "y", x_range: [low, high], y_range: [0, top] });
    const bars = figure.quad({
      left: { field: "left" }, right: { field: "right" }, top: { field: "top" }, bottom: 0, fill_color: colors[0], fill_alpha: 0.55, line_color: null,
      source: plots.source({ left, right: left.map((x) => x + width), top: shares, said: shares.map((s) => `${round(s)} %`) }),
    });
    // Beyond every potential: the word is never sent.
    const never = (x) => x === null || Math.abs(x) > 1e3;
    const cuts = { x: [], word: [], range: [] };
    const marks = { x: [], word: [], said: [] };
    const positive = (w) => (p.words.some((o) => o.message > 1) ? `phase ${w.phase}, message ${w.message}` : `phase ${w.phase}`);
    for (const w of p.words) {
      for (const [thresholds, sign, end] of [[w.threshold, 1, ""], [w.negative, -1, ""], [w.far, -1, "far end, "]]) {
        if (!thresholds || never(thresholds[1]) || (end && never(w.negative[1]))) continue;
        cuts.x.push(thresholds[1]);
        cuts.word.push(end + (sign < 0 ? "negative, " : "") + positive(w));
        cuts.range.push(`${round(thresholds[0], 4)} to ${round(thresholds[2], 4)}`);
        if (end) continue;
        marks.x.push(sign * w.level);
        marks.word.push((sign < 0 ? "negative, " : "") + positive(w));
        marks.said.push(round(sign * w.level, 4));
      }
    }
    const lines = figure.segment({
      x0: { field: "x" }, x1: { field: "x" }, y0: 0, y1: top * 0.9, line_color: page.color("mark"), line_width: 1.5, line_dash: "dashed",
      source: plots.source(cuts),
    });
    const items = [["potentials of the network", "box", colors[0], bars], ["thresholds", "dashed", page.color("mark"), lines]];
    plots.hover(figure, [["potentials from", "@left{0.000} to @right{0.000}"], ["share", "@said"]], [bars]);
    plots.hover(figure, [["threshold of", "@word"], ["over the neurons", "@range"]], [lines], { line_policy: "interp" });
    if (p.same_axis) {
      if (p.ann) {
        const [dark, ann] = [page.color("ink"), p.ann.counts.map((n) => (100 * n) / p.ann.values)];
        const edges = [low, ...left.map((x) => x + width)];
        const steps = figure.step({
          x: { field: "x" }, y: { field: "y" }, mode: "after", line_color: dark, line_width: 1.5, source: plots.source({ x: edges, y: [...ann, ann[ann.length - 1]] }),
        });
        items.push(["values of the ANN", "line", dark, steps]);
      }
      const levels = figure.scatter({
        x: { field: "x" }, y: top * 0.94, marker: "inverted_triangle", size: 10, line_color: null, fill_color: page.color("good"), source: plots.source(marks),
      });
      items.push(["levels", "triangle", page.color("good"), levels]);
      plots.hover(figure, [["level of", "@word"], ["in units of λ", "@said"]], [levels]);
    }
    plots.legend("plot-levels", items);
    const silent = p.words.length ? p.words[p.words.length - 1].threshold[1] : null;
    const range = ([from, to]) => (round(from, 4) === round(to, 4) ? round(from, 4) : `${round(from, 4)} to ${round(to, 4)}`);
    const offset = p.offset[0] === 0 && p.offset[1] === 0 ? "" : ` The value of no spike is ${range(p.offset)} and stands at 0.`;
    const beyond = ordered[0] > top ? ` The highest bar ends at ${round(ordered[0])} %, beyond the plot.` : "";
    plots.alt(
      "plot-levels",
      `${p.name} (${p.kind}, base ${p.code}): λ is ${range(p.scale)} over the channels. ${round((100 * p.above) / p.values)} % of the values lie beyond the right end and ${round((100 * p.below) / p.values)} % beyond the left.` +
        (silent === null ? "" : ` Below ${round(silent)} no ${p.signed ? "positive " : ""}spike is sent.`) +
        (p.one_sided ? ` ${round(100 * p.one_sided)} % of the neurons send no negative spikes.` : "") + offset + beyond +
        (p.same_axis ? "" : " Its function bends, so the levels, which are values after it, stand in the table alone."),
    );
    document.getElementById("levels-caption").textContent = `Levels of ${p.name}`;
    const cell = (x) => (never(x) ? "never sent" : [round(x, 5), x]);
    const graded = p.words.some((w) => w.message > 1);
    tables.fill(
      document.getElementById("levels-table"),
      ["phase", ...(graded ? ["message"] : []), "level / λ", "least threshold / λ", "largest threshold / λ", ...(p.signed ? ["threshold of negative spikes / λ"] : []), ...(p.dip ? ["its far end / λ"] : [])],
      p.words.map((w) => [
        [String(w.phase), w.phase], ...(graded ? [[String(w.message), w.message]] : []), cell(w.level), cell(w.threshold[0]), cell(w.threshold[2]),
        ...(p.signed ? [cell(w.negative[1])] : []), ...(p.dip ? [never(w.negative[1]) ? "never sent" : cell(w.far[1])] : []),
      ]),
    );
    return plots.show("plot-levels", figure);
  },

  timeline(found) {
    const names = found.populations.map((p) => p.name);
    const colors = plots.palette();
    const end = found.latency_steps + Math.min(found.period_steps, found.latency_steps);
    const figure = plots.rows(names, { x_label: "global step", x_range: [0.5, end + 0.5], height: Math.max(26 * names.length, 120) + 64 });
    const field = (name) => ({ field: name });
    const span = (rows) => plots.source({
      name: rows.map((r) => r[0]), left: rows.map((r) => r[1] - 0.5), right: rows.map((r) => r[2] + 0.5), said: rows.map((r) => `${r[1]} to ${r[2]}`),
    });
    const listening = span(found.populations.filter((p) => p.listens).map((p) => [p.name, ...p.listens]));
    const waiting = span(found.populations.filter((p) => p.sends && p.wait_steps).map((p) => [p.name, p.sends[0] - p.wait_steps, p.sends[0] - 1]));
    const bar = { y: field("name"), left: field("left"), right: field("right"), line_color: null };
    const hops = { xs: [], ys: [] };
    const by = new Map(found.populations.map((p) => [p.name, p]));
    for (const p of found.populations) {
      for (const h of p.hops) {
        hops.xs.push([by.get(h.from).sends[0] - 0.5, p.listens[0] - 0.5]);
        hops.ys.push([h.from, p.name]);
      }
    }
    const next = found.populations.flatMap((p) => (p.sends ? [[p.name, p.sends[0] + found.period_steps, p.sends[1] + found.period_steps]] : [[p.name, p.listens[0] + found.period_steps, p.listens[1] + found.period_steps]]));
    const outlines = figure.hbar({ ...bar, height: 0.62, fill_color: null, line_color: page.color("soft-ink"), line_dash: "dotted", source: span(next) });
    const listens = figure.hbar({ ...bar, height: 0.72, fill_color: page.color("shade"), source: listening });
    const waits = figure.hbar({ ...bar, height: 0.3, fill_color: page.color("shade"), hatch_pattern: "right_diagonal_line", hatch_color: page.color("soft-ink"), hatch_scale: 7, hatch_weight: 1, source: waiting });
    const cells = { name: [], left: [], right: [], alpha: [], step: [], phase: [], spikes: [] };
    for (const p of found.populations) {
      const most = Math.max(...p.spikes, 1e-12);
      p.spikes.forEach((n, k) => {
        cells.name.push(p.name);
        cells.left.push(p.sends[0] + k - 0.5);
        cells.right.push(p.sends[0] + k + 0.5);
        cells.alpha.push(0.25 + 0.75 * Math.sqrt(n / most));
        cells.step.push(p.sends[0] + k);
        cells.phase.push(k + 1);
        cells.spikes.push(round(n));
      });
    }
    const sends = figure.hbar({ ...bar, height: 0.5, fill_color: colors[0], fill_alpha: field("alpha"), source: plots.source(cells) });
    const lines = figure.multi_line({ xs: field("xs"), ys: field("ys"), line_color: page.color("mark"), line_width: 1.5, source: plots.source(hops) });
    plots.hover(figure, [["", "@name"], ["input arrives at steps", "@said"]], [listens]);
    plots.hover(figure, [["", "@name"], ["waits during steps", "@said"]], [waits]);
    plots.hover(figure, [["", "@name"], ["phase", "@phase"], ["global step", "@step"], ["spikes", "@spikes"]], [sends]);
    plots.legend("plot-timeline", [
      ["input arrives", "box", page.color("shade"), listens], ["waits", "striped", page.color("soft-ink"), waits], ["sends", "box", colors[0], sends],
      ["hop", "line", page.color("mark"), lines], ["next image", "outline", page.color("soft-ink"), outlines],
    ]);
    return plots.show("plot-timeline", figure);
  },

  board(found, by) {
    const c = found.cores_shown;
    const chips = c.chip.reduce((most, chip) => Math.max(most, chip), 0) + 1;
    // A single chip is drawn wide, several as squares.
    const side = Math.ceil(Math.sqrt(c.usable_per_chip * (chips === 1 ? 2.6 : 1)));
    const columns = chips === 1 ? 1 : Math.ceil(Math.sqrt(chips * 1.5));
    const [step, down] = [side + 1.5, Math.ceil(c.usable_per_chip / side) + 1.5];
    const corner = (chip, core) => [(chip % columns) * step + (core % side), Math.floor(chip / columns) * down + Math.floor(core / side)];
    const colors = plots.colors(c.layers.length);
    const at = c.chip.map((chip, i) => corner(chip, c.core[i]));
    const shade = (share) => plots.hsl(210 - 190 * Math.min(share, 1), 65, page.dark ? 58 : 45);
    const rows = Math.ceil(chips / columns);
    const free = { x: [], y: [] };
    for (let chip = 0; chip < Math.min(chips, 64); chip++) {
      for (let core = 0; core < c.usable_per_chip; core++) {
        const [x, y] = corner(chip, core);
        free.x.push(x);
        free.y.push(y);
      }
    }
    const ratio = (rows * down + 0.5) / (columns * step);
    const wide = document.getElementById("plot-board").clientWidth || 700;
    const figure = plots.figure({
      x_range: [-1, columns * step - 0.5], y_range: [rows * down - 1, -1.8], height: Math.round(Math.min(Math.max(wide * ratio, 160), 640)) + 20, match_aspect: true, grid: "none",
    });
    for (const axis of [...figure.below, ...figure.left]) axis.visible = false;
    const square = { x: { field: "x" }, y: { field: "y" }, width: 0.88, height: 0.88, line_color: null };
    figure.rect({ ...square, fill_color: page.color("shade"), source: plots.source(free) });
    const items = [];
    const data = (picked) => ({
      x: picked.map((i) => at[i][0]), y: picked.map((i) => at[i][1]), layer: picked.map((i) => c.layers[c.layer[i]]),
      chip: picked.map((i) => c.chip[i]), core: picked.map((i) => c.core[i]), neurons: picked.map((i) => c.neurons[i]),
      words: picked.map((i) => c.synapse_words[i]), share: picked.map((i) => `${round(100 * c.share[i])} % of ${c.fullest[i].replaceAll("_", " ")}`),
      color: picked.map((i) => (by === "share" ? shade(c.share[i]) : colors[c.layer[i]])),
    });
    const tips = [["", "@layer"], ["chip, core", "@chip, @core"], ["neurons", "@neurons"], ["words of synapses", "@words"], ["fullest", "@share"]];
    const all = c.layer.map((_, i) => i);
    const groups = by === "share" ? [["", all]] : c.layers.map((name, n) => [name, all.filter((i) => c.layer[i] === n)]);
    for (const [name, picked] of groups) {
      if (!picked.length) continue;
      const drawn = figure.rect({ ...square, fill_color: { field: "color" }, source: plots.source(data(picked)) });
      plots.hover(figure, tips, [drawn]);
      if (name) items.push([name, "box", colors[c.layers.indexOf(name)], drawn]);
    }
    const names = Array.from({ length: chips }, (_, chip) => corner(chip, 0));
    figure.text({
      x: { field: "x" }, y: { field: "y" }, text: { field: "text" }, text_font_size: "11px", text_color: page.color("soft-ink"), text_baseline: "bottom",
      source: plots.source({ x: names.map((n) => n[0] - 0.45), y: names.map((n) => n[1] - 0.6), text: names.map((_, chip) => `chip ${chip}`) }),
    });
    plots.legend("plot-board", items);
    const mean = c.share.reduce((a, b) => a + b, 0) / c.share.length;
    plots.alt(
      "plot-board",
      `${c.core.length.toLocaleString("en")} cores on ${chips} chip${chips === 1 ? "" : "s"}; their fullest resource is used to ${round(100 * mean)} % on average.` +
        (c.left_out ? ` ${c.left_out.toLocaleString("en")} further cores are not drawn.` : "") +
        (by === "share" ? " From blue (little used) to red (full)." : "") + " The place of the chips on the board is not public, so they stand in rows.",
    );
    return plots.show("plot-board", figure);
  },

  energy(found) {
    const colors = plots.palette();
    const made = [];
    const paper = found.paper;
    if (paper) {
      const price = { FP32: [4.6, 0.9], INT8: [0.2, 0.03] };
      const rows = Object.entries(price).flatMap(([kind, [mac, add]]) => [
        [`ANN ${kind}`, (paper.macs * mac) / 1e3, `${round(paper.macs)} MACs at ${mac} pJ`],
        [`spikes ${kind}`, (paper.macs * paper.additions_per_mac * add) / 1e3, `${round(paper.macs * paper.additions_per_mac)} additions at ${add} pJ`],
      ]);
      const names = rows.map((r) => r[0]);
      const [unit, factor] = unitOf(rows.map((r) => r[1]));
      const figure = plots.rows(names, { x_label: unit, x_range: plots.fromZero(), height: 230 });
      const bars = figure.hbar({
        y: { field: "name" }, left: 0, right: { field: "value" }, height: 0.7, line_color: null, fill_color: { field: "color" },
        source: plots.source({ name: names, value: rows.map((r) => r[1] * factor), said: rows.map((r) => energy(r[1])), from: rows.map((r) => r[2]), color: rows.map((_, i) => colors[i % 2 ? 0 : 1]) }),
      });
      plots.hover(figure, [["", "@name"], ["energy", "@said"], ["from", "@from"]], [bars]);
      plots.alt("plot-alpha", `α is ${round(paper.alpha_fp32)} in FP32 and ${round(paper.alpha_int8)} in INT8: the arithmetic of the ANN over that of the spikes (45 nm). Memory, updates and static power do not enter.`);
      made.push(plots.show("plot-alpha", figure));
    } else {
      plots.alt("plot-alpha", "The network does not record the multiplications of its ANN.");
    }
    const account = found.energy_per_image.find((a) => a.dynamic.value !== null);
    if (account) {
      const rows = [
        ["synapses", account.synaptic_operations], ["updates", account.neuron_updates], ["hops", account.spikes_and_hops],
        ["static, least", account.static_least], ["static, most", account.static_most], ["total, least", account.total_least], ["total, most", account.total_most],
      ].filter(([, f]) => f.value !== null);
      const names = rows.map((r) => r[0]);
      const [unit, factor] = unitOf(rows.map(([, f]) => f.high));
      const figure = plots.rows(names, { x_label: unit, x_range: plots.fromZero(), height: 230 });
      const source = plots.source({
        name: names, value: rows.map(([, f]) => f.value * factor), low: rows.map(([, f]) => f.low * factor), high: rows.map(([, f]) => f.high * factor),
        said: rows.map(([, f]) => energy(f.value)), range: rows.map(([, f]) => `${energy(f.low)} to ${energy(f.high)}`),
        color: names.map((n) => (n.startsWith("total") ? colors[0] : n.startsWith("static") ? colors[4] : colors[2])),
      });
      const bars = figure.hbar({ y: { field: "name" }, left: 0, right: { field: "value" }, height: 0.7, line_color: null, fill_color: { field: "color" }, source });
      figure.segment({ y0: { field: "name" }, y1: { field: "name" }, x0: { field: "low" }, x1: { field: "high" }, line_color: page.color("ink"), line_width: 2, source });
      plots.hover(figure, [["", "@name"], ["energy", "@said"], ["range of the sources", "@range"]], [bars]);
      plots.alt("plot-energy", `${account.table[0].toUpperCase()}${account.table.slice(1)}. Lines are the ranges of the sources.`);
      made.push(plots.show("plot-energy", figure));
    } else {
      plots.alt("plot-energy", "The energies of this chip are not public.");
    }
    const steps = found.time.steps_ns;
    const x = steps.map((_, i) => i + 1);
    const figure = plots.figure({ x_label: "step of the period", y_label: "µs", height: 220, x_range: [0.4, steps.length + 0.6], y_range: plots.fromZero(), grid: "y" });
    const bars = figure.vbar({ x: { field: "x" }, top: { field: "top" }, bottom: 0, width: 0.85, line_color: null, fill_color: colors[0], source: plots.source({ x, top: steps.map((s) => s / 1e3) }) });
    plots.hover(figure, [["step", "@x"], ["time", "@top{0.000} µs"]], [bars]);
    plots.alt("plot-steps", `A step takes ${round(found.time["mean step"].value)} µs on average, most of it ${found.time.bound_by}; estimated.`);
    made.push(plots.show("plot-steps", figure));
    return Promise.all(made);
  },

  tuning(found) {
    // In the account of the search: energy on its board, or that of Eq. 6 as a share of the ANN's.
    const onBoard = found.points.some((p) => p.held_out.energy_nj !== null);
    const kinds = [
      ["plot-front-latency", (m) => m.latency_steps, "latency in steps"],
      ["plot-front-spikes", (m) => m.spikes, "spikes per neuron and image"],
      ["plot-front-energy", (m) => (onBoard ? m.energy_nj : 1 / m.alpha), onBoard ? "energy in nJ" : "energy over the ANN's, 1/α"],
    ];
    const colors = plots.palette();
    const setting = (s) => `T=${s.timesteps} wait=${s.wait} Q=${s.levels} ${s.two_sided ? "two" : "one"}-sided`;
    return Promise.all(kinds.map(([id, figureOf, label]) => {
      const figure = plots.figure({ x_label: label, y_label: "loss, percentage points", height: 340 });
      const tried = figure.scatter({
        x: { field: "x" }, y: { field: "y" }, size: 6, line_color: null, fill_color: page.color("soft-ink"), fill_alpha: 0.45,
        source: plots.source({ x: found.tried.map((t) => figureOf(t.search)), y: found.tried.map((t) => t.search.loss_pp), name: found.tried.map((t) => setting(t.setting)) }),
      });
      const items = [["trials, on search images", "dot", page.color("soft-ink"), tried]];
      plots.hover(figure, [["", "@name"], [label, "@x"], ["loss, search images", "@y{0.00}"]], [tried]);
      for (const two of [true, false]) {
        const points = found.points.filter((p) => p.setting.two_sided === two);
        if (!points.length) continue;
        const m = points.map((p) => p.held_out);
        const source = plots.source({
          x: m.map(figureOf), y: m.map((h) => h.loss_pp), name: points.map((p) => setting(p.setting)),
          low: m.map((h) => 100 * (h.ann_accuracy.value - h.accuracy.interval[1])), high: m.map((h) => 100 * (h.ann_accuracy.value - h.accuracy.interval[0])),
          accuracy: m.map((h) => `${(100 * h.accuracy.value).toFixed(2)} %`), within: points.map((p) => (p.within_limits ? "yes" : "no")),
        });
        const color = colors[two ? 0 : 1];
        figure.segment({ x0: { field: "x" }, x1: { field: "x" }, y0: { field: "low" }, y1: { field: "high" }, line_color: color, line_width: 1.5, source });
        const dots = figure.scatter({ x: { field: "x" }, y: { field: "y" }, size: 9, fill_color: color, line_color: null, source });
        plots.hover(figure, [["", "@name"], [label, "@x"], ["loss", "@y{0.00}"], ["accuracy", "@accuracy"], ["within the limits", "@within"]], [dots]);
        items.push([`front, ${two ? "two" : "one"}-sided`, "dot", color, dots]);
      }
      plots.legend(id, items);
      plots.alt(id, "Points of the front show the loss on held-out images with the 95 % interval of their accuracy.");
      return plots.show(id, figure);
    }));
  },
};

/** Draw everything; `document.body.dataset.ready` says that all plots stand. */
async function start() {
  tables.start();
  page.follow();
  const found = await page.data();
  const there = (key) => found[key].missing === undefined;
  const draw = [];
  for (const key of ["accuracy", "errors", "timeline", "energy", "tuning"]) {
    if (there(key)) draw.push(() => sections[key](found[key]));
  }
  if (there("spikes")) {
    const images = found.spikes.images.map((s, i) => `${i + 1}${s.label === null ? "" : `: ${s.label}`}${s.right === false ? " (wrong)" : ""}`);
    const both = () => sections.spikes(found.spikes, Number(image.value), Number(layer.value));
    const image = page.stepper("spikes-image", images, both);
    const layer = page.stepper("spikes-layer", found.spikes.populations.map((p) => p.name), both, 1);
    draw.push(both);
  }
  if (there("levels")) {
    const one = () => sections.levels(found.levels, Number(layer.value));
    const layer = page.stepper("levels-layer", found.levels.populations.map((p) => p.name), one);
    draw.push(one);
  }
  if (there("board")) {
    const color = document.getElementById("board-color");
    const one = () => sections.board(found.board, color.value);
    color.addEventListener("change", one);
    draw.push(one);
  }
  let again = Promise.resolve();
  page.theme(() => {
    document.body.dataset.ready = "no";
    again = again.then(async () => {
      for (const one of draw) await one();
      document.body.dataset.ready = "yes";
    });
  });
}
start();
