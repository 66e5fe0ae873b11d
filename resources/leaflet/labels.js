// Names on the map: along roads, inside grids, on houses. What would overlap is left out, the more important stays.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});
  const REPEAT_PX = 420;
  const CELL_PX = 48;

  class Labels {
    constructor(ctx, theme, zoom, size, blocked) {
      Object.assign(this, { ctx, theme, zoom, size });
      this.cells = new Map();
      this.placed = {};
      (blocked || []).forEach((box) => this._take(box));
    }

    // Boxes are kept by the squares they touch, so that a free place is found without asking all of them.
    _each(box, visit) {
      for (let x = Math.floor(box[0] / CELL_PX); x <= box[2] / CELL_PX; x++) {
        for (let y = Math.floor(box[1] / CELL_PX); y <= box[3] / CELL_PX; y++) if (visit(x + "," + y)) return true;
      }
      return false;
    }

    _take(box) {
      this._each(box, (cell) => {
        if (!this.cells.has(cell)) this.cells.set(cell, []);
        this.cells.get(cell).push(box);
        return false;
      });
    }

    _isFree(boxes) {
      return !boxes.some(([x0, y0, x1, y1]) =>
        this._each([x0, y0, x1, y1], (cell) =>
          (this.cells.get(cell) || []).some(([a0, b0, a1, b1]) => x0 < a1 && x1 > a0 && y0 < b1 && y1 > b0)));
    }

    _write(text, x, y, colour, halo, haloWidth) {
      this.ctx.lineJoin = "round";
      this.ctx.strokeStyle = halo;
      this.ctx.lineWidth = haloWidth || 3;
      this.ctx.strokeText(text, x, y);
      this.ctx.fillStyle = colour;
      this.ctx.fillText(text, x, y);
    }

    // Text in the middle of (x, y), in lines; true when it found room.
    at(lines, x, y, font, px, colour, halo) {
      const ctx = this.ctx;
      ctx.font = font;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      const width = Math.max(...lines.map((line) => ctx.measureText(line).width));
      const height = px * 1.25 * lines.length;
      const box = [x - width / 2 - 2, y - height / 2, x + width / 2 + 2, y + height / 2];
      if (!this._isFree([box])) return false;
      this._take(box);
      lines.forEach((line, i) => this._write(line, x, y + (i - (lines.length - 1) / 2) * px * 1.25, colour, halo));
      return true;
    }

    // A road's name along its line (corners in pixels), where the line is straight enough; letters stay upright.
    along(name, corners, px, colour) {
      const ctx = this.ctx;
      const lengths = [0];
      for (let i = 1; i < corners.length; i++) {
        lengths.push(lengths[i - 1] + Math.hypot(corners[i][0] - corners[i - 1][0], corners[i][1] - corners[i - 1][1]));
      }
      const total = lengths[lengths.length - 1];
      ctx.font = px + "px " + parts.FONT;
      const letters = Array.from(name);
      const spread = /[\u3400-\u9fff]/.test(name) ? 2.5 : 0;
      const widths = letters.map((letter) => ctx.measureText(letter).width + spread);
      const width = widths.reduce((sum, each) => sum + each, 0);
      if (total < width + 12) return false;
      for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
        const start = total * share - width / 2;
        if (start < 4 || start + width > total - 4) continue;
        if (this._tryAlong(name, letters, widths, width, corners, lengths, start, px, colour)) return true;
      }
      return false;
    }

    _tryAlong(name, letters, widths, width, corners, lengths, start, px, colour) {
      const middle = pointAt(corners, lengths, start + width / 2);
      if (middle.x < 0 || middle.y < 0 || middle.x > this.size.x || middle.y > this.size.y) return false;
      for (const other of this.placed[name] || []) if (Math.hypot(other.x - middle.x, other.y - middle.y) < REPEAT_PX) return false;
      const first = pointAt(corners, lengths, start), last = pointAt(corners, lengths, start + width);
      const chord = Math.hypot(last.x - first.x, last.y - first.y);
      if (chord < width * 0.93) return false;
      let turn = Math.atan2(last.y - first.y, last.x - first.x);
      const isCjk = /[\u3400-\u9fff]/.test(name);
      const isSteep = isCjk && Math.abs(Math.sin(turn)) > 0.82;
      const reversed = isSteep ? last.y < first.y : last.x < first.x;
      const glyphs = [];
      let at = start;
      for (let i = 0; i < letters.length; i++) {
        const n = reversed ? letters.length - 1 - i : i;
        const spot = pointAt(corners, lengths, at + widths[n] / 2);
        let angle = isSteep ? 0 : spot.angle + (reversed ? Math.PI : 0);
        angle = Math.atan2(Math.sin(angle), Math.cos(angle));
        glyphs.push({ letter: letters[n], x: spot.x, y: spot.y, angle });
        at += widths[n];
      }
      if (!isSteep && bend(glyphs) > 0.55) return false;
      const boxes = glyphs.map((g) => [g.x - px * 0.55, g.y - px * 0.55, g.x + px * 0.55, g.y + px * 0.55]);
      if (!this._isFree(boxes)) return false;
      boxes.forEach((box) => this._take(box));
      (this.placed[name] = this.placed[name] || []).push(middle);
      this._glyphs(glyphs, colour);
      return true;
    }

    _glyphs(glyphs, colour) {
      const ctx = this.ctx;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.lineJoin = "round";
      for (const isHalo of [true, false]) {
        for (const g of glyphs) {
          ctx.save();
          ctx.translate(g.x, g.y);
          ctx.rotate(g.angle);
          if (isHalo) {
            ctx.strokeStyle = this.theme.halo;
            ctx.lineWidth = 3;
            ctx.strokeText(g.letter, 0, 0);
          } else {
            ctx.fillStyle = colour;
            ctx.fillText(g.letter, 0, 0);
          }
          ctx.restore();
        }
      }
    }
  }

  function pointAt(corners, lengths, distance) {
    let i = 1;
    while (i < lengths.length - 1 && lengths[i] < distance) i++;
    const a = corners[i - 1], b = corners[i];
    const part = lengths[i] - lengths[i - 1] || 1;
    const t = Math.max(0, Math.min(1, (distance - lengths[i - 1]) / part));
    return { x: a[0] + (b[0] - a[0]) * t, y: a[1] + (b[1] - a[1]) * t, angle: Math.atan2(b[1] - a[1], b[0] - a[0]) };
  }

  function bend(glyphs) {
    let most = 0;
    for (let i = 1; i < glyphs.length; i++) {
      const step = glyphs[i].angle - glyphs[i - 1].angle;
      most = Math.max(most, Math.abs(Math.atan2(Math.sin(step), Math.cos(step))));
    }
    return most;
  }

  function pixelsOf(flat, tile, dx, dy) {
    const corners = [];
    parts.walk(flat, (x, y) => corners.push([tile.x + x * tile.k - dx, tile.y + y * tile.k - dy]));
    return corners;
  }

  // All names of the tiles in view. `dx, dy`: map pixel of the canvas corner.
  parts.drawLabels = function (ctx, tiles, state, zoom, dx, dy, size, blocked) {
    const theme = state.theme;
    const labels = new Labels(ctx, theme, zoom, size, blocked);
    if (state.shown.grids) gridNames(labels, tiles, theme, zoom, dx, dy);
    if (state.shown.base) roadNames(labels, tiles, theme, zoom, dx, dy, (order) => order >= 5);
    if (state.shown.buildings && zoom >= parts.HOUSES_FROM) houseNames(labels, tiles, theme, zoom, dx, dy);
    if (state.shown.base) {
      placeNames(labels, tiles, theme, zoom, dx, dy);
      roadNames(labels, tiles, theme, zoom, dx, dy, (order) => order < 5);
    }
  };

  function gridNames(labels, tiles, theme, zoom, dx, dy) {
    if (zoom < 14) return;
    const px = zoom >= 17 ? 15 : zoom >= 16 ? 13 : 11;
    for (const tile of tiles) {
      for (const grid of tile.content.grids || []) {
        if (!grid[5]) continue;
        const x = tile.x + grid[5][0] * tile.k - dx, y = tile.y + grid[5][1] * tile.k - dy;
        const lines = zoom >= 16 ? [grid[2] || shortCode(grid[1])] : [shortCode(grid[1])];
        if (zoom >= 17) lines.push(grid[1]);
        const font = "600 " + px + "px " + parts.FONT;
        for (const text of [lines, [shortCode(grid[1])]]) {
          if (labels.at(text, x, y, font, px, theme.gridLabel, theme.gridHalo)) break;
        }
      }
    }
  }

  // Community and grid number out of a 15-character code: 990101001009003 is 9-3.
  function shortCode(code) {
    const community = Number(code.slice(9, 12)), grid = Number(code.slice(12));
    return code.length === 15 && community > 0 && grid > 0 ? community + "-" + grid : code.slice(-3);
  }

  function roadNames(labels, tiles, theme, zoom, dx, dy, isWanted) {
    const roads = [];
    for (const tile of tiles) {
      for (const [kind, name, tunnel, lines] of (tile.content.base || {}).road || []) {
        const how = parts.roadClass(kind);
        if (!name || tunnel || !isWanted(how.order) || zoom < (how.order >= 5 ? 14 : how.order >= 4 ? 16 : 17)) continue;
        for (const flat of lines) roads.push({ name, how, corners: pixelsOf(flat, tile, dx, dy) });
      }
    }
    roads.sort((a, b) => b.how.order - a.how.order || b.corners.length - a.corners.length);
    for (const road of roads) {
      const px = road.how.order >= 6 ? 12.5 : road.how.order >= 4 ? 11.5 : 10.5;
      labels.along(road.name, road.corners, px, road.how.order >= 4 ? theme.label : theme.labelSoft);
    }
  }

  function houseNames(labels, tiles, theme, zoom, dx, dy) {
    const px = zoom >= 18 ? 12 : 10.5;
    for (const tile of tiles) {
      for (const house of tile.content.buildings || []) {
        if (!house[4] || !house[1]) continue;
        const x = tile.x + house[4][0] * tile.k - dx, y = tile.y + house[4][1] * tile.k - dy;
        labels.at([house[1]], x, y, px + "px " + parts.FONT, px, theme.houseLabel, theme.halo);
      }
    }
  }

  function placeNames(labels, tiles, theme, zoom, dx, dy) {
    const seen = new Set();
    for (const tile of tiles) {
      const base = tile.content.base || {};
      for (const [, name, x, y] of base.place || []) {
        labels.at([name], tile.x + x * tile.k - dx, tile.y + y * tile.k - dy, "13px " + parts.FONT, 13, theme.labelSoft, theme.halo);
      }
      for (const [, name, polygon] of base.green || []) {
        if (!name || zoom < 15 || seen.has(name)) continue;
        const corners = pixelsOf(polygon[0], tile, dx, dy);
        const x = mean(corners, 0), y = mean(corners, 1);
        if (labels.at([name], x, y, "11px " + parts.FONT, 11, theme.greenLabel, theme.halo)) seen.add(name);
      }
    }
  }

  function mean(corners, axis) {
    const values = corners.map((corner) => corner[axis]);
    return (Math.min(...values) + Math.max(...values)) / 2;
  }
})();
