"use strict";
// Shows /health as tables and /picture.png, twice a second.

function table(title, heads, rows) {
  const section = document.createElement("section");
  const heading = document.createElement("h2");
  heading.textContent = title;
  const table = document.createElement("table");
  for (const [index, cells] of [heads, ...rows].entries()) {
    const row = table.insertRow();
    for (const cell of cells) {
      const made = document.createElement(index ? "td" : "th");
      made.textContent = cell;
      row.append(made);
    }
  }
  section.append(heading, table);
  return section;
}

const milliseconds = (seconds) => (seconds === null ? "" : (1e3 * seconds).toFixed(1));

function tables(health) {
  const streams = Object.entries(health.streams).map(([name, s]) => [
    name, s.received, s.delivered, s.dropped, s.failed, s.ambiguous, s.rate.toFixed(1),
    milliseconds(s.latency_median), milliseconds(s.latency_p99),
  ]);
  const calls = Object.entries(health.calls).map(([name, c]) => [
    name, c.count, c.milliseconds.toFixed(1),
  ]);
  return [
    table("Live streams", ["name", "received", "delivered", "dropped", "failed",
      "ambiguous drift", "frames/s", "median ms", "99 % ms"], streams),
    table("Calls", ["call", "count", "mean ms"], calls),
    table("Connections", Object.keys(health.connections), [Object.values(health.connections)]),
    table("Refused requests", ["code", "count"], Object.entries(health.errors)),
  ];
}

async function look() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("/health");
    if (!answer.ok) throw new Error(answer.statusText);
    const health = await answer.json();
    document.getElementById("tables").replaceChildren(...tables(health));
    document.getElementById("picture").src = "/picture.png?" + Date.now();
    state.textContent = `up for ${Math.round(health.uptime)} s`;
    state.className = "";
  } catch (error) {
    state.textContent = "does not answer";
    state.className = "down";
  }
  setTimeout(look, 500);
}

look();
