// Incident symbols: every state has its own shape as well as its own colour, so that colour is never the only sign.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});

  function corners(n, turn, inner) {
    const points = [];
    const steps = inner ? n * 2 : n;
    for (let i = 0; i < steps; i++) {
      const angle = turn + (i * 2 * Math.PI) / steps;
      const reach = inner && i % 2 ? inner : 1;
      points.push([Math.sin(angle) * reach, -Math.cos(angle) * reach]);
    }
    return points;
  }

  const SHAPES = {
    triangle: corners(3, 0).map(([x, y]) => [x * 1.25, y * 1.25 + 0.15]),
    down: corners(3, Math.PI).map(([x, y]) => [x * 1.25, y * 1.25 - 0.15]),
    square: corners(4, Math.PI / 4).map(([x, y]) => [x * 1.2, y * 1.2]),
    diamond: corners(4, 0).map(([x, y]) => [x * 1.2, y * 1.2]),
    pentagon: corners(5, 0).map(([x, y]) => [x * 1.1, y * 1.1]),
    hexagon: corners(6, 0).map(([x, y]) => [x * 1.08, y * 1.08]),
    octagon: corners(8, Math.PI / 8).map(([x, y]) => [x * 1.05, y * 1.05]),
    star: corners(5, 0, 0.5).map(([x, y]) => [x * 1.35, y * 1.35]),
    cross: [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]],
  };

  // A mark inside the shape that says the rest: done, waiting, in hand.
  const MARKS = {
    check: [[-0.45, 0.05], [-0.1, 0.4], [0.5, -0.35]],
    bar: [[-0.45, 0], [0.45, 0]],
    pause: [[-0.22, -0.4], [-0.22, 0.4], null, [0.22, -0.4], [0.22, 0.4]],
    alert: [[0, -0.45], [0, 0.12], null, [0, 0.44], [0, 0.46]],
    arrow: [[-0.5, 0], [0.45, 0], null, [0.1, -0.35], [0.48, 0], [0.1, 0.35]],
  };

  function outline(ctx, shape, x, y, r) {
    ctx.beginPath();
    if (SHAPES[shape]) SHAPES[shape].forEach(([sx, sy], i) => ctx[i ? "lineTo" : "moveTo"](x + sx * r, y + sy * r));
    else ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.closePath();
  }

  const sprites = new Map();

  // A symbol is drawn once for its size and theme and copied from then on: a view may show thousands.
  parts.drawSymbol = function (ctx, x, y, r, symbol, isDark) {
    const ratio = Math.max(1, window.devicePixelRatio || 1), half = Math.ceil(r * 1.5 + 4);
    const key = [symbol.code, r, isDark, ratio].join("/");
    let sprite = sprites.get(key);
    if (!sprite) {
      sprite = document.createElement("canvas");
      sprite.width = sprite.height = half * 2 * ratio;
      const pen = sprite.getContext("2d");
      pen.scale(ratio, ratio);
      paintSymbol(pen, half, half, r, symbol, isDark);
      sprites.set(key, sprite);
    }
    ctx.drawImage(sprite, Math.round(x - half), Math.round(y - half), half * 2, half * 2);
  };

  function paintSymbol(ctx, x, y, r, symbol, isDark) {
    const colour = isDark ? symbol.dark : symbol.light;
    ctx.save();
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    outline(ctx, symbol.shape, x, y, r);
    ctx.lineWidth = 4;
    ctx.strokeStyle = isDark ? "rgba(15,18,22,0.9)" : "rgba(255,255,255,0.95)";
    ctx.stroke();
    ctx.fillStyle = symbol.isHollow ? (isDark ? "#1e2227" : "#ffffff") : colour;
    ctx.fill();
    ctx.lineWidth = symbol.isHollow ? 2 : 1.2;
    ctx.strokeStyle = symbol.isHollow ? colour : isDark ? "rgba(0,0,0,0.6)" : "rgba(0,0,0,0.45)";
    if (symbol.isHollow) ctx.setLineDash([3, 2]);
    ctx.stroke();
    ctx.setLineDash([]);
    const mark = MARKS[symbol.mark];
    if (mark) {
      ctx.beginPath();
      let pen = false;
      for (const step of mark) {
        if (!step) { pen = false; continue; }
        ctx[pen ? "lineTo" : "moveTo"](x + step[0] * r, y + step[1] * r);
        pen = true;
      }
      ctx.lineWidth = Math.max(1.6, r * 0.24);
      ctx.strokeStyle = symbol.isHollow ? colour : isDark ? "#11151a" : "#ffffff";
      ctx.stroke();
    }
    ctx.restore();
  }

  // A cluster: its count in the middle, around it a ring whose parts are the states inside.
  parts.drawCluster = function (ctx, x, y, states, total, symbols, theme, isDark) {
    const r = 13 + Math.min(9, Math.log2(total) * 1.5);
    let from = -Math.PI / 2;
    ctx.save();
    ctx.beginPath();
    ctx.arc(x, y, r + 2, 0, 2 * Math.PI);
    ctx.fillStyle = theme.halo;
    ctx.fill();
    for (const state of Object.keys(states)) {
      const to = from + (states[state] / total) * 2 * Math.PI;
      const symbol = symbols[state];
      ctx.beginPath();
      ctx.arc(x, y, r, from, to);
      ctx.arc(x, y, r - 5, to, from, true);
      ctx.closePath();
      ctx.fillStyle = symbol ? (isDark ? symbol.dark : symbol.light) : theme.labelSoft;
      ctx.fill();
      from = to;
    }
    ctx.beginPath();
    ctx.arc(x, y, r - 5, 0, 2 * Math.PI);
    ctx.fillStyle = theme.paper;
    ctx.fill();
    ctx.fillStyle = theme.ink;
    ctx.font = "600 " + (total < 1000 ? 12 : 10) + "px " + parts.FONT;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(String(total), x, y + 0.5);
    ctx.restore();
    return r;
  };
})();
