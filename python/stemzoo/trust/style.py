"""How the page of an inspection looks: on a screen, a phone, in the dark and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #5c6670; --line: #d5dae0;
  --soft: #f4f6f8; --yes: #18a058; --open: #d08700; --no: #e5232e; --lost: #2f7ff0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --faint: #9aa4ae;
  --line: #343a41; --soft: #1e2327; --yes: #3ddc84; --open: #ffb627; --no: #ff5d5d;
  --lost: #6cb0ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .3rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1rem 0 .3rem; }
.lead { margin: .2rem 0 .8rem; font-size: 1.1rem; }
.fine { color: var(--yes); }
.warnings { list-style: none; padding: 0; margin: 0 0 1rem; }
.warnings li { border-left: .25rem solid var(--open); background: var(--soft);
  padding: .5rem .8rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
figure { margin: 0; }
.picture { position: relative; line-height: 0; }
.picture img { width: 100%; height: auto; border: 1px solid var(--line); }
#map img { image-rendering: pixelated; }
.picture svg { position: absolute; inset: 0; width: 100%; height: 100%; }
circle { fill: none; stroke-width: 1.6px; vector-effect: non-scaling-stroke; }
.yes circle { stroke: #3ddc84; } .open circle { stroke: #ffb627; }
.no circle { stroke: #ff4040; stroke-width: 2.6px; }
.lost circle { stroke: #5aa8ff; stroke-width: 2.6px; }
b.yes { color: var(--yes); } b.open { color: var(--open); } b.no { color: var(--no); }
b.lost { color: var(--lost); }
figcaption, .none { color: var(--faint); font-size: .88rem; line-height: 1.35; margin: .35rem 0; }
.plot { width: 100%; height: auto; border: 1px solid var(--line); }
polyline { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.5px; }
.axis { stroke: var(--faint); } .level { stroke: var(--faint); stroke-dasharray: 4 3; }
.curve { stroke: var(--lost); } text { fill: var(--faint); font-size: 12px; }
.numbers { display: grid; gap: 0 1.5rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; align-self: start; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border-top: 1px solid var(--line); padding: .3rem 0; vertical-align: top; }
th { text-align: left; font-weight: 400; padding-right: .8rem; }
td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
small { display: block; color: var(--faint); font-size: .8rem; line-height: 1.25; }
pre { background: var(--soft); padding: .6rem .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
@page { size: A4; margin: 12mm; }
@media print {
  :root { --ink: #000; --paper: #fff; --faint: #444; --line: #bbb; --soft: #f4f4f4; }
  body { font-size: 9.5pt; } main { max-width: none; padding: 0; }
  .figures { grid-template-columns: repeat(3, 1fr); gap: 3mm; }
  .numbers { grid-template-columns: repeat(3, 1fr); gap: 0 5mm; break-before: page; margin: 0; }
  figure, table, li, pre { break-inside: avoid; }
  .picture, .warnings li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
