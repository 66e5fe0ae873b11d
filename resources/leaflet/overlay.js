// What lies on top of the tiles: the chosen thing, names, incidents and clusters. One canvas over the view, moved with the map.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});
  const CELL = 64, CLOSE_CELL = 28;
  const SINGLES_FROM = 18;
  const RADIUS = 9;
  const RESTING_MS = 120;

  parts.Overlay = L.Renderer.extend({
    initialize(state, tileLayer) {
      L.Renderer.prototype.initialize.call(this, { padding: 0.25, pane: "gridmanTop" });
      this._state = state;
      this._tileLayer = tileLayer;
      this._hits = [];
      this._layers = {};
    },

    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.className = "gridman-overlay";
      this._ctx = this._container.getContext("2d");
    },

    _destroyContainer() {
      L.Util.cancelAnimFrame(this._frame);
      clearTimeout(this._later);
      L.DomUtil.remove(this._container);
    },

    _updatePaths() {},

    // Draws again soon; many calls in one frame are one drawing.
    redraw() {
      if (!this._map || this._frame) return;
      this._frame = L.Util.requestAnimFrame(() => {
        this._frame = null;
        if (this._map) this._update();
      });
    },

    isWaiting() {
      return Boolean(this._frame || this._later);
    },

    // After a move within what is drawn already, the drawing waits until the hand rests: the canvas moves along by itself.
    getEvents() {
      const events = L.Renderer.prototype.getEvents.call(this);
      return { ...events, moveend: this._moved };
    },

    _moved() {
      clearTimeout(this._later);
      this._later = null;
      const map = this._map, size = map.getSize();
      const view = L.bounds(map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size));
      if (this._bounds && this._drawnZoom === map.getZoom() && this._bounds.contains(view)) {
        this._later = setTimeout(() => {
          this._later = null;
          this.redraw();
        }, RESTING_MS);
      } else this._update();
    },

    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const corner = this._bounds.min, size = this._bounds.getSize();
      const ratio = window.devicePixelRatio || 1;
      L.DomUtil.setPosition(this._container, corner);
      this._container.width = Math.round(size.x * ratio);
      this._container.height = Math.round(size.y * ratio);
      this._container.style.width = size.x + "px";
      this._container.style.height = size.y + "px";
      this._ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      const origin = this._map.getPixelOrigin();
      this._drawnZoom = this._map.getZoom();
      this._draw(corner.x + origin.x, corner.y + origin.y, size);
    },

    // `dx, dy`: the map pixel at the canvas corner.
    _draw(dx, dy, size) {
      const state = this._state, ctx = this._ctx, zoom = this._map.getZoom();
      const tiles = this._tileLayer.inView();
      this._hits = [];
      this._marked(tiles, dx, dy);
      const items = state.shown.incidents && !state.isEditing ? this._items(tiles, dx, dy, zoom, size) : [];
      const blocked = items.map((item) => [item.x - item.r, item.y - item.r, item.x + item.r, item.y + item.r]);
      parts.drawLabels(ctx, tiles, state, zoom, dx, dy, size, blocked);
      for (const item of items) this._incident(item);
      if (this._fan) this._drawFan(dx, dy);
    },

    // The chosen grid or house. Each piece is drawn within its own tile, so that the cuts between tiles do not show.
    _marked(tiles, dx, dy) {
      const chosen = this._state.chosen;
      if (!chosen || (chosen.kind !== "grid" && chosen.kind !== "building")) return;
      const ctx = this._ctx, theme = this._state.theme;
      for (const tile of tiles) {
        const rows = (chosen.kind === "grid" ? tile.content.grids : tile.content.buildings) || [];
        for (const row of rows) {
          if (row[0] !== chosen.id) continue;
          ctx.save();
          ctx.beginPath();
          ctx.rect(tile.x - dx, tile.y - dy, 4096 * tile.k, 4096 * tile.k);
          ctx.clip();
          const painter = new parts.Painter(ctx, theme, 0, 0, {});
          Object.assign(painter, { k: tile.k, ox: tile.x - dx, oy: tile.y - dy });
          for (const polygon of chosen.kind === "grid" ? row[4] : row[3]) {
            painter.path(polygon, true);
            ctx.fillStyle = theme.pickFill;
            ctx.fill("evenodd");
            ctx.strokeStyle = theme.pick;
            ctx.lineWidth = 3;
            ctx.stroke();
          }
          ctx.restore();
        }
      }
    },

    // Incidents and clusters in view, in canvas pixels, without the states that are switched off.
    _items(tiles, dx, dy, zoom, size) {
      const rows = this._state.incidents ? this._gathered(zoom) : this._fromTiles(tiles);
      const items = [];
      for (const row of rows) {
        const states = {};
        let total = 0;
        for (const code of Object.keys(row.states)) {
          if (this._state.hidden.has(code)) continue;
          states[code] = row.states[code];
          total += row.states[code];
        }
        const x = row.px - dx, y = row.py - dy;
        if (total === 0 || x < -30 || y < -30 || x > size.x + 30 || y > size.y + 30) continue;
        const item = Object.assign({}, row, { states, total, x, y, r: total === 1 ? RADIUS : 22 });
        item.members = (row.members || []).filter((member) => !this._state.hidden.has(member[1]));
        items.push(item);
      }
      const isChosen = (item) => this._isChosen(item);
      return items.sort((a, b) => isChosen(a) - isChosen(b) || a.total - b.total || a.y - b.y);
    },

    _fromTiles(tiles) {
      const rows = [];
      for (const tile of tiles) {
        for (const entry of tile.content.incidents || []) {
          const at = { px: tile.x + entry[2] * tile.k, py: tile.y + entry[3] * tile.k };
          if (entry[0] !== null) {
            rows.push({ ...at, id: entry[0], states: { [entry[1]]: 1 }, label: entry[4], members: [[entry[0], entry[1], entry[4]]] });
          } else {
            const [x0, y0, x1, y1] = entry[5].map((unit, i) => (i % 2 ? tile.y : tile.x) + unit * tile.k);
            rows.push({ ...at, states: entry[1], box: [x0, y0, x1, y1], members: entry[6] });
          }
        }
      }
      return rows;
    },

    // Incidents embedded in the page, gathered here as the program does it for tiles.
    _gathered(zoom) {
      const cells = new Map();
      const size = zoom >= SINGLES_FROM ? 1 : zoom === SINGLES_FROM - 1 ? CLOSE_CELL : CELL;
      for (const incident of this._state.incidents) {
        if (this._state.hidden.has(incident.state)) continue;
        const p = this._map.project([incident.lat, incident.lng], zoom);
        const key = Math.floor(p.x / size) + "/" + Math.floor(p.y / size);
        const row = cells.get(key) || { px: 0, py: 0, n: 0, states: {}, members: [], box: [p.x, p.y, p.x, p.y] };
        row.px += p.x;
        row.py += p.y;
        row.n += 1;
        row.states[incident.state] = (row.states[incident.state] || 0) + 1;
        row.members.push([incident.id, incident.state, incident.label]);
        row.box = [Math.min(row.box[0], p.x), Math.min(row.box[1], p.y), Math.max(row.box[2], p.x), Math.max(row.box[3], p.y)];
        cells.set(key, row);
      }
      return Array.from(cells.values(), (row) => ({
        ...row, px: row.px / row.n, py: row.py / row.n,
        id: row.n === 1 ? row.members[0][0] : undefined, label: row.n === 1 ? row.members[0][2] : "",
      }));
    },

    _incident(item) {
      const state = this._state, ctx = this._ctx;
      if (this._isChosen(item)) this._ring(item.x, item.y, item.total === 1 ? RADIUS + 6 : 26);
      if (item.total === 1) {
        const code = Object.keys(item.states)[0];
        const member = item.members[0] || [item.id, code, item.label];
        parts.drawSymbol(ctx, item.x, item.y, RADIUS, state.symbols[code] || state.symbols[""], state.isDark);
        this._hits.push({ kind: "incident", id: member[0], state: code, label: member[2], x: item.x, y: item.y, r: RADIUS + 3 });
      } else {
        const r = parts.drawCluster(ctx, item.x, item.y, item.states, item.total, state.symbols, state.theme, state.isDark);
        this._hits.push({ kind: "cluster", item, x: item.x, y: item.y, r: r + 2 });
      }
    },

    _isChosen(item) {
      const chosen = this._state.chosen;
      return Boolean(chosen && chosen.kind === "incident" && item.members.some((member) => member[0] === chosen.id));
    },

    _ring(x, y, r) {
      this._ctx.beginPath();
      this._ctx.arc(x, y, r, 0, 2 * Math.PI);
      this._ctx.fillStyle = this._state.theme.pickFill;
      this._ctx.fill();
      this._ctx.strokeStyle = this._state.theme.pick;
      this._ctx.lineWidth = 2.5;
      this._ctx.stroke();
    },

    // Incidents at one and the same spot, fanned out in a circle (or a spiral when they are many).
    openFan(latlng, members) {
      this._fan = { latlng, members };
      this.redraw();
    },

    closeFan() {
      if (!this._fan) return;
      this._fan = null;
      this.redraw();
    },

    _drawFan(dx, dy) {
      const ctx = this._ctx, state = this._state;
      const at = this._map.project(this._fan.latlng, this._map.getZoom());
      const x = at.x - dx, y = at.y - dy, n = this._fan.members.length;
      this._fan.members.forEach((member, i) => {
        const angle = n <= 10 ? (i / n) * 2 * Math.PI : i * 0.6;
        const reach = n <= 10 ? 42 : 36 + i * 2.6;
        const px = x + Math.sin(angle) * reach, py = y - Math.cos(angle) * reach;
        ctx.beginPath();
        ctx.moveTo(x, y);
        ctx.lineTo(px, py);
        ctx.strokeStyle = state.theme.labelSoft;
        ctx.lineWidth = 1;
        ctx.stroke();
        if (state.chosen && state.chosen.id === member[0]) this._ring(px, py, RADIUS + 6);
        parts.drawSymbol(ctx, px, py, RADIUS, state.symbols[member[1]] || state.symbols[""], state.isDark);
        this._hits.push({ kind: "incident", id: member[0], state: member[1], label: member[2], x: px, y: py, r: RADIUS + 3, isFanned: true });
      });
    },

    // The incident or cluster under a point of the map's box, the topmost first.
    hit(containerPoint) {
      const corner = this._map.layerPointToContainerPoint(this._bounds.min);
      const x = containerPoint.x - corner.x, y = containerPoint.y - corner.y;
      for (let i = this._hits.length - 1; i >= 0; i--) {
        const hit = this._hits[i];
        if (Math.hypot(hit.x - x, hit.y - y) <= hit.r) return hit;
      }
      return null;
    },

    // The house or grid under a place.
    ground(latlng) {
      const zoom = this._map.getZoom(), p = this._map.project(latlng, zoom), state = this._state;
      for (const tile of this._tileLayer.inView()) {
        const x = (p.x - tile.x) / tile.k, y = (p.y - tile.y) / tile.k;
        if (x < 0 || y < 0 || x >= 4096 || y >= 4096) continue;
        if (state.shown.buildings && zoom >= parts.HOUSES_FROM) {
          for (const house of tile.content.buildings || []) {
            if (house[3].some((polygon) => parts.isInside(polygon, x, y))) return { kind: "building", id: house[0], label: house[1] };
          }
        }
        for (const grid of (state.shown.grids && tile.content.grids) || []) {
          if (grid[4].some((polygon) => parts.isInside(polygon, x, y))) return { kind: "grid", id: grid[0], code: grid[1], label: grid[2] };
        }
      }
      return null;
    },
  });
})();
