// Paints one tile of the street map onto a canvas: ground, water, greens, houses, roads with their edges, grid outlines.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});
  const POLYGON_COLOURS = {
    sea: "sea", beach: "beach", sand: "beach", pitch: "pitch", square: "paved", pier: "paved", breakwater: "paved",
    parking: "paved", school: "paved", construction: "paved", railway: "paved", commercial: "paved", retail: "paved", bare_rock: "paved",
  };
  const HOUSES_FROM = 17;

  class Painter {
    constructor(ctx, theme, zoom, lat, shown, own) {
      Object.assign(this, { ctx, theme, zoom, lat, shown, own });
    }

    // `k` pixels for each unit; the tile's corner lies at (ox, oy).
    tile(content, k, ox, oy) {
      Object.assign(this, { k, ox, oy });
      const base = content.base;
      if (base && this.shown.base) this._base(base);
      if (content.buildings && this.shown.buildings && this.zoom >= HOUSES_FROM) this._houses(content.buildings);
      if (content.gridlines && this.shown.grids) this._gridLines(content.gridlines);
      if (content.grids && this.shown.grids && this.own && this.own.size) this._ownGrids(content.grids);
    }

    path(rings, close) {
      this.ctx.beginPath();
      for (const ring of rings) {
        parts.walk(ring, (x, y, first) => {
          const px = this.ox + x * this.k, py = this.oy + y * this.k;
          if (first) this.ctx.moveTo(px, py);
          else this.ctx.lineTo(px, py);
        });
        if (close) this.ctx.closePath();
      }
    }

    _fill(items, colour) {
      for (const [kind, , polygon] of items || []) {
        this.ctx.fillStyle = this.theme[POLYGON_COLOURS[kind] || colour];
        this.path(polygon, true);
        this.ctx.fill("evenodd");
      }
    }

    _base(base) {
      const ctx = this.ctx;
      const isSea = (item) => item[0] === "sea";
      this._fill((base.water || []).filter(isSea), "water");
      this._fill((base.land || []).filter((item) => item[0] !== "residential"), "paved");
      this._fill(base.green, "green");
      this._fill((base.water || []).filter((item) => !isSea(item)), "water");
      this._strokes(base.waterline, this.theme.water, 2);
      this._roads((base.road || []).filter((road) => road[2]), true);
      this._fill(base.building, "building");
      if (this.zoom >= 16) {
        ctx.strokeStyle = this.theme.buildingEdge;
        ctx.lineWidth = 0.7;
        for (const [, , polygon] of base.building || []) {
          this.path(polygon, true);
          ctx.stroke();
        }
      }
      this._roads((base.road || []).filter((road) => !road[2]), false);
      this._rails(base.railline);
    }

    _strokes(items, colour, width) {
      this.ctx.strokeStyle = colour;
      this.ctx.lineWidth = width;
      for (const [, lines] of items || []) {
        this.path(lines, false);
        this.ctx.stroke();
      }
    }

    _rails(items) {
      this._strokes(items, this.theme.rail, 1.6);
      this.ctx.setLineDash([4, 5]);
      this._strokes(items, this.theme.ground, 0.9);
      this.ctx.setLineDash([]);
    }

    _roads(roads, inTunnel) {
      const ctx = this.ctx;
      const drawn = roads
        .map((road) => ({ lines: road[3], how: parts.roadClass(road[0]) }))
        .filter((road) => this.zoom >= road.how.from)
        .sort((a, b) => a.how.order - b.how.order);
      for (const road of drawn) road.width = Math.max(road.how.least, parts.pixels(road.how.metres, this.zoom, this.lat));
      ctx.lineCap = "round";
      ctx.lineJoin = "round";
      ctx.globalAlpha = inTunnel ? 0.35 : 1;
      if (!inTunnel) {
        for (const road of drawn) {
          if (road.how.style === "path" || road.width < 1.6) continue;
          this._line(road.lines, this.theme.roads[road.how.style][1], road.width + 1.6);
        }
      }
      for (const road of drawn) {
        const style = this.theme.roads[road.how.style];
        if (road.how.style === "path") {
          if (inTunnel) continue;
          ctx.setLineDash([3, 3]);
          ctx.lineCap = "butt";
          this._line(road.lines, style, Math.min(road.width, 1.6));
          ctx.setLineDash([]);
          ctx.lineCap = "round";
        } else this._line(road.lines, road.width < 1.6 && !inTunnel ? style[1] : style[0], road.width);
      }
      ctx.globalAlpha = 1;
    }

    _line(lines, colour, width) {
      this.ctx.strokeStyle = colour;
      this.ctx.lineWidth = width;
      this.path(lines, false);
      this.ctx.stroke();
    }

    _houses(houses) {
      const ctx = this.ctx;
      ctx.fillStyle = this.theme.house;
      ctx.strokeStyle = this.theme.houseEdge;
      ctx.lineWidth = 1;
      for (const house of houses) {
        for (const polygon of house[3]) {
          this.path(polygon, true);
          ctx.fill("evenodd");
          ctx.stroke();
        }
      }
    }

    // The grids of who looks, in a whole, strong line. Each piece is drawn within its own tile, so that the cuts between tiles do not show.
    _ownGrids(grids) {
      const ctx = this.ctx;
      const width = this.zoom >= 15 ? 5.5 : 4;
      ctx.save();
      ctx.beginPath();
      ctx.rect(this.ox, this.oy, 4096 * this.k, 4096 * this.k);
      ctx.clip();
      ctx.lineJoin = "round";
      for (const [colour, wide] of [[this.theme.gridHalo, width + 3], [this.theme.grid, width]]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = wide;
        for (const grid of grids) {
          if (!this.own.has(grid[0])) continue;
          for (const polygon of grid[4]) {
            this.path(polygon, true);
            ctx.stroke();
          }
        }
      }
      ctx.restore();
    }

    // Borders between grids dashed, those of communities whole and wider.
    _gridLines([inner, outer]) {
      const ctx = this.ctx;
      const width = this.zoom >= 17 ? 2.2 : this.zoom >= 15 ? 1.6 : 1;
      const strokes = [
        [inner, this.theme.gridHalo, width + 2, []], [outer, this.theme.gridHalo, width * 1.7 + 2.4, []],
        [inner, this.theme.grid, width, this.zoom >= 15 ? [7, 4] : []], [outer, this.theme.grid, width * 1.7, []],
      ];
      ctx.lineJoin = "round";
      ctx.lineCap = "butt";
      for (const [lines, colour, wide, dash] of strokes) {
        ctx.setLineDash(dash);
        this._line(lines, colour, wide);
      }
      ctx.setLineDash([]);
    }
  }
  parts.Painter = Painter;
  parts.HOUSES_FROM = HOUSES_FROM;

  // The Leaflet layer of canvas tiles. `state` holds source, theme and which layers are shown; it is shared with the overlay.
  parts.TileLayer = L.GridLayer.extend({
    initialize(state) {
      L.GridLayer.prototype.initialize.call(this, { tileSize: 512, minZoom: 10, maxZoom: 20, keepBuffer: 1, updateWhenZooming: false });
      this._state = state;
    },

    createTile(coords) {
      const canvas = document.createElement("canvas");
      const ratio = window.devicePixelRatio || 1;
      canvas.width = canvas.height = Math.round(512 * ratio);
      this._paint(canvas, coords);
      return canvas;
    },

    // Paints all tiles again, or only those that show one of the data tiles named in `keys`.
    repaint(keys) {
      for (const name in this._tiles) {
        const tile = this._tiles[name];
        const isTouched = !keys || parts.dataTile(this._state.source, tile.coords).some((data) => keys.has(data.z + "/" + data.x + "/" + data.y));
        if (isTouched) this._paint(tile.el, tile.coords);
      }
    },

    _paint(canvas, coords) {
      const state = this._state;
      const ctx = canvas.getContext("2d");
      const ratio = canvas.width / 512;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.fillStyle = state.theme.ground;
      ctx.fillRect(0, 0, 512, 512);
      const lat = this._map ? this._map.getCenter().lat : 0;
      const painter = new Painter(ctx, state.theme, coords.z, lat, state.shown, state.own);
      for (const tile of parts.dataTile(state.source, coords)) {
        const content = state.source.get(tile.z, tile.x, tile.y);
        if (content) painter.tile(content, tile.scale, tile.x * 4096 * tile.scale - coords.x * 512, tile.y * 4096 * tile.scale - coords.y * 512);
      }
    },

    // The data tiles in view, each once: content, scale, and the place of its corner in map pixels.
    inView() {
      const found = new Map();
      for (const key in this._tiles) {
        const tile = this._tiles[key];
        if (!tile.current || tile.coords.z !== this._tileZoom) continue;
        for (const data of parts.dataTile(this._state.source, tile.coords)) {
          const name = data.z + "/" + data.x + "/" + data.y;
          if (found.has(name)) continue;
          const content = this._state.source.get(data.z, data.x, data.y);
          if (content) found.set(name, { content, k: data.scale, x: data.x * 4096 * data.scale, y: data.y * 4096 * data.scale });
        }
      }
      return Array.from(found.values());
    },
  });
})();
