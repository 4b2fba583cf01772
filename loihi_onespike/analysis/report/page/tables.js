"use strict";
// Tables: a click on a heading sorts, the button copies the rows as they stand, with tabs between the cells.
const tables = {
  sort(heading) {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    const rows = [...table.tBodies[0].rows];
    const key = (row) => row.cells[column];
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x.dataset.value !== undefined && y.dataset.value !== undefined) return x.dataset.value - y.dataset.value;
      // Cells without a number stand last, whatever the direction.
      if (x.dataset.value !== undefined || y.dataset.value !== undefined) {
        return (x.dataset.value === undefined ? 1 : -1) * (rising ? 1 : -1);
      }
      return x.textContent.localeCompare(y.textContent, "en", { numeric: true });
    };
    rows.sort((a, b) => (rising ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  },

  text(table) {
    return [...table.rows]
      .map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")).join("\t"))
      .join("\n");
  },

  async copy(button) {
    const table = button.closest("figure").querySelector("table");
    const text = tables.text(table);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A browser that gives pages from disk no clipboard.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    page.say(`${table.tBodies[0].rows.length} rows were copied.`);
    setTimeout(() => (button.textContent = before), 1500);
  },

  /** Headings and rows of a table that a script fills; a cell is a text or [text, number to sort by]. */
  fill(table, columns, rows) {
    const numeric = columns.map((_, i) => rows.some((row) => Array.isArray(row[i])));
    const head = document.createElement("tr");
    for (const [i, name] of columns.entries()) {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (numeric[i]) cell.className = "number";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = name;
      cell.append(button);
      head.append(cell);
    }
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(
      ...rows.map((row) => {
        const line = document.createElement("tr");
        for (const [i, value] of row.entries()) {
          const cell = line.insertCell();
          cell.textContent = Array.isArray(value) ? value[0] : value;
          if (numeric[i]) cell.className = "number";
          if (Array.isArray(value)) cell.dataset.value = value[1];
        }
        return line;
      }),
    );
  },

  start() {
    document.addEventListener("click", (event) => {
      const sorter = event.target.closest(".sort");
      if (sorter) tables.sort(sorter.closest("th"));
      const copier = event.target.closest(".copy");
      if (copier) tables.copy(copier);
    });
  },
};
