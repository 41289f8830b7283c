/** The page's style: light, dark, on a phone and on paper. No style stands in an element, so that the page's own policy can forbid it. */

/** Pixels from one column's line of a ladder to the next. */
export const LADDER_PITCH = 78;

export const STYLE = `
:root { color-scheme: light dark;
  --back: #fff; --raised: #f5f7f9; --text: #1c2128; --soft: #57606a; --line: #d5dbe1; --link: #0757b5; --life: #b3bcc6;
  --pass: #14632b; --pass-back: #e3f4e7; --fail: #a8121c; --fail-back: #fdebeb; --open: #714a00; --open-back: #fbf1d6;
  --error: #6336b0; --error-back: #f1eafc; --none: #57606a; --none-back: #eef1f4; --mark-back: #fdebeb; --focus: #0757b5; }
@media (prefers-color-scheme: dark) { :root {
  --back: #0f1419; --raised: #171d24; --text: #e3e8ed; --soft: #a0abb6; --line: #323b45; --link: #7db7ff; --life: #55606c;
  --pass: #6fd08c; --pass-back: #12301d; --fail: #ff9a94; --fail-back: #41191b; --open: #e6b95a; --open-back: #382a0b;
  --error: #c7a8ff; --error-back: #2d2047; --none: #a0abb6; --none-back: #222a32; --mark-back: #41191b; --focus: #7db7ff; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 80rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .4rem 0; } a { color: var(--link); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
code, .ladder td, .message { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: .85em; }
code, .message, h3, dd { overflow-wrap: anywhere; } p, td { overflow-wrap: break-word; }
.soft { color: var(--soft); }
.hidden { display: none !important; }
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.badge { display: inline-block; padding: 0 .45em; border-radius: .3em; font-weight: 600; white-space: nowrap; }
.pass { color: var(--pass); background: var(--pass-back); } .fail { color: var(--fail); background: var(--fail-back); }
.inconclusive, .unsupported { color: var(--open); background: var(--open-back); }
.error { color: var(--error); background: var(--error-back); } .none { color: var(--none); background: var(--none-back); }
.counts { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; padding: 0; margin: .6rem 0; font-size: 1.05rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; margin: .8rem 0 0; }
dl.run { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .6rem 0; }
dl.run dt { color: var(--soft); } dl.run dd { margin: 0; }
form.filter { display: flex; flex-wrap: wrap; gap: .5rem .8rem; align-items: end; background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; margin: 1rem 0; }
form.filter[hidden] { display: none; } form.filter label { display: grid; font-size: .85rem; color: var(--soft); }
form.filter select, form.filter input, form.filter button { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--soft); border-radius: .3rem; padding: .25rem .5rem; min-height: 2.2rem; max-width: 100%; }
form.filter output { color: var(--soft); align-self: center; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; font-size: .85rem; vertical-align: bottom; }
tr:target, section:target > header { background: var(--open-back); }
table.matrix td { padding: .35rem .3rem; } table.matrix ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0; padding: 0; }
table.matrix a.badge { text-decoration: none; font-size: .8rem; min-width: 4.6rem; } table.matrix a.badge:hover { text-decoration: underline; }
.level { font-weight: 400; color: var(--soft); font-size: .85em; white-space: nowrap; }
td.verdict small { font-weight: 400; }
section.problem { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; padding: .8rem 1rem 1rem; }
section.problem > header { display: flex; flex-wrap: wrap; gap: .2rem .6rem; align-items: baseline; }
.beside { display: grid; grid-template-columns: minmax(0, 15rem) minmax(0, 1fr); gap: 1rem; margin-top: .7rem; }
.beside.alone { grid-template-columns: minmax(0, 1fr); }
.clause { border-left: 3px solid var(--line); padding-left: .7rem; margin-bottom: .9rem; } .clause p { margin: .15rem 0; } h4 { font-size: 1rem; margin: 0 0 .2rem; }
ul.frames { padding-left: 1.1rem; margin: .5rem 0; }
figure.ladder { margin: 0 0 1rem; } figure.ladder figcaption { font-size: .9rem; margin-bottom: .35rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; background: var(--back); }
.ladder table { width: auto; min-width: 100%; } .ladder th, .ladder td { border: 0; padding: 0 .5rem; white-space: nowrap; line-height: 20px; }
.ladder thead th { padding-top: .3rem; font-size: .78rem; border-bottom: 1px solid var(--line); } .ladder .number { text-align: right; } .ladder td.what { width: 100%; min-width: 20rem; white-space: normal; }
.ladder .lanes { padding: 0; } .ladder th.lanes > span { display: inline-block; width: ${LADDER_PITCH}px; text-align: center; }
.ladder td.lanes { background: linear-gradient(to right, transparent calc(50% - .5px), var(--life) calc(50% - .5px), var(--life) calc(50% + .5px), transparent calc(50% + .5px)) 0 0 / ${LADDER_PITCH}px 100% repeat; }
.ladder svg { display: block; stroke: var(--text); fill: var(--text); stroke-width: 1.5; } .ladder svg path + path { stroke: none; }
.ladder tr.control { color: var(--link); } .ladder tr.control svg { stroke: var(--link); fill: var(--link); } .ladder tr.control svg path:first-child { stroke-dasharray: 5 3; }
.ladder tr.marked { color: var(--fail); font-weight: 600; } .ladder tr.marked td { background-color: var(--mark-back); } .ladder tr.marked svg { stroke: var(--fail); fill: var(--fail); stroke-width: 2.5; }
.ladder .note { display: block; font-family: system-ui, sans-serif; font-weight: 400; white-space: normal; min-width: 16rem; padding-bottom: .2rem; }
.ladder tr.gap td { color: var(--soft); font-style: italic; }
table.extra th, table.extra td { font-size: .85rem; padding: .25rem .4rem; overflow-wrap: anywhere; } table.extra td { min-width: 3.2em; }
@media (max-width: 60rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
@media screen and (max-width: 44rem) {
  body { padding: 1rem .8rem 3rem; }
  table.cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.cards, table.cards tbody { display: block; }
  table.cards tr { display: block; border: 1px solid var(--line); border-radius: .4rem; margin: .6rem 0; padding: .4rem .6rem; }
  table.cards th, table.cards td { display: block; border: 0; padding: .1rem 0; width: auto; }
  table.cards td[data-label]::before { content: attr(data-label) ': '; color: var(--soft); font-size: .85rem; }
  table.cards td:empty { display: none; }
  form.filter label, form.filter input, form.filter select { width: 100%; }
}
@media print {
  :root { color-scheme: light; --back: #fff; --raised: #fff; --text: #000; --soft: #444; --line: #bbb; --link: #000; --life: #999;
    --pass: #14632b; --pass-back: #fff; --fail: #a8121c; --fail-back: #fff; --open: #714a00; --open-back: #fff; --error: #6336b0; --error-back: #fff; --none: #444; --none-back: #fff; --mark-back: #f3f3f3; }
  table.extra th, table.extra td { font-size: .62rem; padding: .1rem .2rem; min-width: 0; }
  @page { margin: 12mm; } html { font-size: 12px; }
  body { max-width: none; padding: 0; font-size: 9pt; }
  form.filter, nav { display: none !important; }
  .badge { border: 1px solid currentColor; }
  a { text-decoration: none; }
  h2, h3, figcaption, section.problem > header { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; }
  .beside { grid-template-columns: minmax(0, 1fr); }
  .scroll { overflow: visible; }
  .ladder table { zoom: .8; } .ladder td, .ladder td.lanes { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
