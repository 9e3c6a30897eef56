"""How the page looks, and what its script adds: reading help on charts, and one window at a time."""

from __future__ import annotations

from sysim.report.html.element import Markup, el

OUTCOME_COLOURS: dict[str, tuple[str, str]] = {
    "ok": ("#009E73", ""), "degraded": ("#56B4E9", ""), "error": ("#CC79A7", "rise"), "timeout": ("#D55E00", ""),
    "deadline": ("#8C3B00", "fall"), "rejected": ("#E69F00", "dots"), "shed": ("#F0E442", ""),
    "circuit_open": ("#0072B2", "cross"), "rate_limited": ("#7B68B5", "dots"), "bulkhead_full": ("#A0522D", "cross"),
    "unreachable": ("#555555", "rise"), "lost": ("#000000", "fall"), "cancelled": ("#AAAAAA", ""),
    "in_flight": ("#DDDDDD", "dots"),
}  # fmt: skip
"""Fill and hatch of each outcome: the Okabe-Ito colours, which the colour-blind tell apart, and hatches where two
are near each other in grey."""

_HATCHES = {
    "rise": "M-2 2L2-2M0 8L8 0M6 10L10 6",
    "fall": "M-2 6L2 10M0 0L8 8M6-2L10 2",
    "cross": "M0 8L8 0M0 0L8 8",
    "dots": "M2 2h1.6v1.6h-1.6zM6 6h1.6v1.6h-1.6z",
}


def patterns() -> Markup:
    """The hatches of outcomes; `fill_of` refers to them."""
    made = []
    for name, (colour, hatch) in OUTCOME_COLOURS.items():
        if hatch:
            made.append(
                el(
                    "pattern",
                    el("rect", width=8, height=8, fill=colour),
                    el("path", d=_HATCHES[hatch], stroke="#fff", stroke_width="1.2", fill="#fff", fill_opacity="0.9"),
                    id=f"fill-{name}", width=8, height=8, patternUnits="userSpaceOnUse",
                )
            )  # fmt: skip
    return el("svg", el("defs", made), width=0, height=0, aria_hidden="true", class_="defs")


def fill_of(outcome: str) -> str:
    """The paint of an outcome."""
    colour, hatch = OUTCOME_COLOURS.get(outcome, ("#888888", ""))
    return f"url(#fill-{outcome})" if hatch else colour


CSS = """
:root{--bg:#fbfbf9;--card:#fff;--ink:#1c2024;--soft:#5a6370;--line:#dcdfe3;--grid:#e9ebee;--accent:#0060a0;
--good:#00704f;--bad:#b03a00;--doubt:#7a5c00;--fault:#D55E00;--fault-wash:rgba(213,94,0,.13);--zebra:#f5f6f7;
--offered:#1c2024;--heat:#0060a0;--box:#fff;--on-dark:#fff;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e8eaed;--soft:#a4adb8;--line:#3a4149;
--grid:#2b3138;--accent:#7cc4f5;--good:#4fd1a5;--bad:#ff9a62;--doubt:#e8c34a;--fault:#ff8a3d;
--fault-wash:rgba(255,138,61,.17);--zebra:#22272c;--offered:#e8eaed;--heat:#7cc4f5;--box:#262c32;--on-dark:#fff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
main,header,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1.9rem;line-height:1.2;margin:.1rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:0 0 .6rem}
h3{font-size:1.02rem;margin:1.4rem 0 .35rem}
h4{font-size:.95rem;margin:.9rem 0 .25rem}
p{margin:.45rem 0;max-width:50rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.15rem 1.3rem;margin:1.1rem 0}
.soft,figcaption,caption,.eyebrow{color:var(--soft)}
.eyebrow{font-size:.8rem;letter-spacing:.04em;text-transform:uppercase;margin:0}
.lede{font-size:1.08rem}
.asked{border-left:4px solid var(--line);padding-left:.9rem;color:var(--soft)}
.answer{display:flex;flex-wrap:wrap;gap:.5rem .7rem;margin:.8rem 0}
.badge{display:inline-block;border-radius:999px;padding:.12rem .75rem;border:1.5px solid currentColor;font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}.doubt{color:var(--doubt)}
nav{margin:.7rem 0 0;font-size:.9rem}nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1rem;padding:0;
margin:0}
a{color:var(--accent)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.2rem,1fr));gap:.7rem;margin:.3rem 0 .9rem;padding:0}
.tile{border:1px solid var(--line);border-radius:8px;padding:.55rem .75rem;background:var(--bg);break-inside:avoid}
.tile dt{font-size:.8rem;color:var(--soft);margin:0}
.tile dd{margin:0;font-size:1.32rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.tile dd.note{font-size:.8rem;font-weight:400;color:var(--soft)}
figure{margin:.6rem 0 1rem}
figcaption{font-size:.86rem;max-width:50rem}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--accent)}
svg.chart{display:block;width:100%;height:auto;min-width:40rem}
svg.small{min-width:16rem}
svg text{font-family:inherit;font-size:12px;fill:var(--ink)}
svg .large{font-size:14px}svg .medium{font-size:12.5px}
svg .faint{fill:var(--soft)}svg .tiny{font-size:10.5px}svg .strong{font-weight:650}
svg .grid{stroke:var(--grid);stroke-width:1}svg .axis{stroke:var(--soft);stroke-width:1}
svg .fault{fill:var(--fault-wash)}svg .fault-edge{stroke:var(--fault);stroke-width:1;stroke-dasharray:3 2}
svg .fault-name{fill:var(--fault);font-weight:600;font-size:11px}
svg .hit{fill:transparent}svg .hit:hover{fill:currentColor;fill-opacity:.08}
.defs{position:absolute}
.legend{display:flex;flex-wrap:wrap;gap:.1rem .95rem;list-style:none;padding:0;margin:.2rem 0;font-size:.85rem}
.legend svg{width:15px;height:15px;vertical-align:-3px;margin-right:.3rem}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;margin:.3rem 0 .6rem}
caption{text-align:left;font-size:.86rem;padding-bottom:.25rem}
th,td{padding:.28rem .5rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
thead th{border-bottom:2px solid var(--line);font-weight:600;vertical-align:bottom}
th[scope=row],th.text,td.text{text-align:left}
th[scope=row]{font-weight:600}
td:not(.text){white-space:nowrap}
tbody tr:nth-child(even){background:var(--zebra)}
td small{display:block;color:var(--soft)}
pre{overflow-x:auto;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;
font-size:.82rem;line-height:1.45;margin:.5rem 0}
code{font-size:.92em;overflow-wrap:anywhere}
details>summary{cursor:pointer;font-weight:600;padding:.3rem 0}
.tabs{display:flex;flex-wrap:wrap;gap:.35rem;margin:.5rem 0}
.tabs button{font:inherit;font-size:.88rem;padding:.22rem .8rem;border:1px solid var(--line);border-radius:999px;
background:var(--bg);color:var(--ink);cursor:pointer}
.tabs button[aria-selected=true]{background:var(--ink);color:var(--card);border-color:var(--ink)}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:.4rem 1.4rem}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--card);border-radius:6px;
padding:.35rem .6rem;font-size:.82rem;line-height:1.4;white-space:pre-line;max-width:20rem}
footer{padding-bottom:2.5rem;font-size:.86rem;color:var(--soft)}
@media (max-width:640px){main,header,footer{padding:0 .7rem}section{padding:.9rem .85rem}h1{font-size:1.5rem}
header{padding-top:1.1rem}}
@media print{@page{size:A4;margin:14mm 13mm}
:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#e2e2e2;--accent:#000;--good:#00704f;
--bad:#b03a00;--doubt:#6a5000;--fault:#b54a00;--fault-wash:rgba(213,94,0,.13);--zebra:#f4f4f4;--offered:#000;
--heat:#0060a0;--box:#fff;color-scheme:light}
body{font-size:9.6pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,header,footer{max-width:none;padding:0}
section{border:0;border-top:1px solid #bbb;border-radius:0;padding:.7rem 0 0;margin:.9rem 0 0}
nav,.tabs,#tip{display:none}[data-tabs=every] [hidden]{display:block}
h2,h3,h4{break-after:avoid}figure,tr,.tile{break-inside:avoid}
svg.chart{min-width:0}.scroll{overflow:visible}table{font-size:7.6pt}th,td{padding:.16rem .3rem}
details:not([open]){display:none}pre{white-space:pre-wrap;font-size:7pt}}
"""

SCRIPT = """
(function(){
var d=document,tip=d.createElement('div');tip.id='tip';tip.hidden=true;d.body.appendChild(tip);
d.querySelectorAll('svg .hit>title').forEach(function(t){t.parentNode.setAttribute('data-tip',t.textContent);
t.remove();});
d.addEventListener('pointermove',function(e){
var t=e.target.closest?e.target.closest('[data-tip]'):null;
if(!t){tip.hidden=true;return;}
tip.textContent=t.getAttribute('data-tip');tip.hidden=false;
var w=tip.offsetWidth,h=tip.offsetHeight,x=e.clientX+14,y=e.clientY+14;
if(x+w>innerWidth-6)x=Math.max(6,e.clientX-w-14);if(y+h>innerHeight-6)y=Math.max(6,e.clientY-h-14);
tip.style.left=x+'px';tip.style.top=y+'px';});
d.addEventListener('pointerleave',function(){tip.hidden=true;});
d.querySelectorAll('[data-tabs]').forEach(function(box){
var panels=Array.prototype.filter.call(box.children,function(c){return c.hasAttribute('data-tab');});
if(panels.length<2)return;
var bar=d.createElement('div');bar.className='tabs';bar.setAttribute('role','tablist');
bar.setAttribute('aria-label','Window');
function show(k){panels.forEach(function(p,i){p.hidden=i!==k;bar.children[i].setAttribute('aria-selected',i===k);
bar.children[i].tabIndex=i===k?0:-1;});}
panels.forEach(function(p,i){var b=d.createElement('button');b.type='button';b.setAttribute('role','tab');
b.textContent=p.getAttribute('data-tab');b.setAttribute('aria-controls',p.id);p.setAttribute('role','tabpanel');
b.addEventListener('click',function(){show(i);});
b.addEventListener('keydown',function(e){var k=e.key==='ArrowRight'?i+1:e.key==='ArrowLeft'?i-1:-1;
if(bar.children[k]){show(k);bar.children[k].focus();}});bar.appendChild(b);});
box.insertBefore(bar,panels[0]);
show(Math.max(0,panels.findIndex(function(p){return p.hasAttribute('data-first');})));});
})();
"""
