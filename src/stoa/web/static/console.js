// What a page does in the browser beyond links and forms: the theme, the pulse of the ledger, and the charts.
// Every page works without it. Runs under a nonce CSP with trusted types: no HTML is ever built from text here.
"use strict";
(() => {
  const root = document.documentElement;
  const year = 365 * 24 * 3600;

  // ---- theme: the browser's own until somebody chooses; the cookie lets the server send the right page at once
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    document.cookie = `stoa_theme=${root.dataset.theme}; max-age=${year}; path=/; samesite=lax`;
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());

  // ---- pulse: a `block` event tells the height; regions with hx-trigger="block from:#live" fetch themselves anew
  const live = document.getElementById("live");
  live.addEventListener("block", (event) => {
    const { text } = JSON.parse(event.detail.data);
    document.getElementById("height").textContent = text;
    live.classList.remove("lost", "beat");
    void live.offsetWidth; // restarts the animation
    live.classList.add("beat");
  });
  live.addEventListener("htmx:sse:error", () => {
    live.classList.add("lost");
    document.getElementById("height").textContent = live.dataset.lost;
  });
  document.addEventListener("htmx:after:swap", () => redraw());

  // ---- charts: an element with data-chart draws the points of the element it names
  const drawn = new Map();
  const token = (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const points = (element) => JSON.parse(document.getElementById(element.dataset.chart).dataset.points);

  function price(element) {
    const { createChart, AreaSeries, HistogramSeries } = window.LightweightCharts;
    const decimals = Number(element.dataset.decimals);
    const scale = 10 ** decimals;
    const accent = token("--accent");
    const chart = createChart(element, {
      autoSize: true,
      layout: { background: { color: "transparent" }, textColor: token("--ink-soft"), fontFamily: getComputedStyle(root.querySelector("body")).fontFamily, attributionLogo: false },
      grid: { vertLines: { visible: false }, horzLines: { color: token("--line") } },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.28 } },
      timeScale: { borderVisible: false, fixLeftEdge: true, fixRightEdge: true },
      handleScroll: { vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      localization: { locale: root.lang },
    });
    const line = chart.addSeries(AreaSeries, {
      lineColor: accent, lineWidth: 2, topColor: accent.replace("rgb(", "rgba(").replace(")", ", 0.18)"), bottomColor: "transparent",
      priceFormat: { type: "price", precision: decimals, minMove: 1 / scale }, priceLineVisible: false,
    });
    const volume = chart.addSeries(HistogramSeries, { priceScaleId: "", color: token("--line-strong"), priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    const fill = () => {
      const rows = points(element);
      line.setData(rows.map(([day, last]) => ({ time: day / 1000, value: last / scale })));
      volume.setData(rows.map(([day, , units]) => ({ time: day / 1000, value: units })));
    };
    fill();
    chart.timeScale().fitContent();
    return { fill, remove: () => chart.remove() };
  }

  function activity(element) {
    const [heights, counts] = points(element);
    const number = new Intl.NumberFormat(root.lang);
    const axis = { stroke: token("--ink-soft"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(document.body).fontFamily}` };
    const size = () => ({ width: element.clientWidth, height: element.clientHeight });
    const plot = new window.uPlot({
      ...size(),
      legend: { show: false },
      cursor: { y: false, points: { show: false } },
      scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] }, y: { range: (_, low, high) => [0, Math.max(high, 1)] } },
      axes: [
        { ...axis, size: 28, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100], values: (_, ticks) => ticks.map((tick) => number.format(tick)) },
        { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000], values: (_, ticks) => ticks.map((tick) => number.format(tick)) },
      ],
      series: [{}, { fill: token("--accent"), stroke: token("--accent"), width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.7, 24], radius: 0.2 }) }],
    }, [heights, counts], element);
    const watch = new ResizeObserver(() => plot.setSize(size()));
    watch.observe(element);
    return { fill: () => plot.setData(points(element)), remove: () => { watch.disconnect(); plot.destroy(); } };
  }

  const kinds = { price, activity };
  function redraw() {
    for (const element of document.querySelectorAll("[data-chart]")) {
      const before = drawn.get(element);
      const look = dark();
      if (before && before.look === look) {
        before.fill();
      } else {
        before?.remove();
        drawn.set(element, { ...kinds[element.dataset.kind](element), look });
      }
    }
  }
  redraw();
})();
