"use strict";
// What the other scripts share: the data of the page, the theme, and the lists that one steps through.
const page = {
  /** The document of the report: gzip in base64, so that the page stays small. */
  async data() {
    const text = document.getElementById("data").textContent.trim();
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  },

  say(text) {
    document.getElementById("said").textContent = text;
  },

  /** Colours of the theme, read from the style sheet so that they have one home. */
  color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  },

  get dark() {
    return document.documentElement.dataset.theme === "dark";
  },

  /** Follow the system, or the choice of the reader; `changed` is called when the colours change. */
  theme(changed) {
    const choice = document.getElementById("theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const dark = choice.value === "dark" || (choice.value === "auto" && system.matches);
      const theme = dark ? "dark" : "light";
      if (document.documentElement.dataset.theme !== theme) {
        document.documentElement.dataset.theme = theme;
        changed();
      }
    };
    choice.addEventListener("change", apply);
    system.addEventListener("change", apply);
    apply();
  },

  /** Fill a list with names and call `changed` with the position of the chosen one; its two buttons step. */
  stepper(id, names, changed, first = 0) {
    const list = document.getElementById(id);
    names.forEach((name, i) => list.add(new Option(name, String(i))));
    list.value = String(Math.min(first, names.length - 1));
    const update = () => changed(Number(list.value));
    list.addEventListener("change", update);
    for (const button of document.querySelectorAll(`[data-for="${id}"]`)) {
      button.addEventListener("click", () => {
        const count = names.length;
        list.value = String((Number(list.value) + Number(button.dataset.step) + count) % count);
        update();
      });
    }
    return list;
  },

  /** Mark the section in view in the navigation. */
  follow() {
    const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
    const nav = document.querySelector("nav");
    const watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        const link = links.get(entry.target.id);
        link.setAttribute("aria-current", "true");
        nav.scrollTo({ left: link.offsetLeft - nav.clientWidth / 3 });
      }
    }, { rootMargin: "-20% 0px -70% 0px" });
    for (const section of document.querySelectorAll("section.card")) watcher.observe(section);
  },
};
