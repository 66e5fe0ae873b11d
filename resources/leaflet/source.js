// Where tiles come from: asked from the program one by one and remembered, or embedded in the page.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});
  const KEPT = 400;
  const DEEPEST = 18;

  // Tiles asked from the program. `onChange` is called when one has arrived.
  class LiveSource {
    constructor(baseUrl, onChange) {
      this.baseUrl = baseUrl.replace(/\/$/, "");
      this.onChange = onChange;
      this.base = new Map();
      this.live = new Map();
      this.version = 1;
      this.waiting = 0;
    }

    zoomFor(zoom) {
      return Math.max(0, Math.min(zoom, DEEPEST));
    }

    // What is known of a tile now, or null; what is missing is asked for once, and again only at the next refresh.
    get(z, x, y) {
      const key = z + "/" + x + "/" + y;
      const base = this._ask(this.base, key, "base", 1);
      const live = this._ask(this.live, key, "grids,buildings,incidents", this.version);
      return base || live ? Object.assign({}, base, live) : null;
    }

    _ask(store, key, layers, version) {
      let held = store.get(key);
      if (held && held.asked === version) return held.content;
      if (!held) store.set(key, (held = { content: null, asked: 0 }));
      held.asked = version;
      this.waiting += 1;
      fetch(this.baseUrl + "/" + key + "?layers=" + layers)
        .then((answer) => (answer.ok ? answer.json() : null))
        .catch(() => null)
        .then((content) => {
          this.waiting -= 1;
          if (content && held.asked === version) held.content = content;
          this.onChange(key);
        });
      this._forget(store);
      return held.content;
    }

    _forget(store) {
      for (const key of store.keys()) {
        if (store.size <= KEPT) return;
        store.delete(key);
      }
    }

    refresh(alsoBase) {
      this.version += 1;
      if (alsoBase) this.base.clear();
      for (const [key, held] of this.base) if (!held.content) this.base.delete(key);
    }
  }

  // Tiles that ship inside the page: the deepest zoom embedded is stretched for closer views.
  class EmbeddedSource {
    constructor(tiles) {
      this.tiles = tiles;
      this.zooms = Array.from(new Set(Object.keys(tiles).map((key) => Number(key.split("/")[0])))).sort((a, b) => a - b);
      this.waiting = 0;
    }

    // The deepest embedded zoom up to `zoom` that has this place (x, y at `zoom`), else the first.
    zoomFor(zoom, x, y) {
      const has = (z) => this.get(z, Math.floor(x / Math.pow(2, zoom - z)), Math.floor(y / Math.pow(2, zoom - z)));
      return this.zooms.filter((each) => each <= zoom && has(each)).pop() || this.zooms[0];
    }

    get(z, x, y) {
      return this.tiles[z + "/" + x + "/" + y] || null;
    }

    refresh() {}
  }

  parts.LiveSource = LiveSource;
  parts.EmbeddedSource = EmbeddedSource;

  // Which data tile shows the page's tile (512 pixels wide, at map zoom coords.z), and how it is scaled onto the map.
  parts.dataTile = function (source, coords) {
    const wanted = coords.z - 1;
    const z = source.zoomFor(wanted, coords.x, coords.y);
    const shift = wanted - z;
    if (shift >= 0) {
      const n = Math.pow(2, shift);
      return [{ z, x: Math.floor(coords.x / n), y: Math.floor(coords.y / n), scale: (512 * n) / 4096 }];
    }
    // The page is further out than the first embedded zoom: several data tiles make up one tile of the page.
    const n = Math.pow(2, -shift);
    const found = [];
    for (let i = 0; i < n * n && n <= 8; i++) {
      found.push({ z, x: coords.x * n + (i % n), y: coords.y * n + Math.floor(i / n), scale: 512 / n / 4096 });
    }
    return found;
  };

  // Calls visit(x, y, isFirst) for every corner of a flat line: first corner, then steps.
  parts.walk = function (flat, visit) {
    let x = flat[0], y = flat[1];
    visit(x, y, true);
    for (let i = 2; i < flat.length; i += 2) visit((x += flat[i]), (y += flat[i + 1]), false);
  };

  parts.isInside = function (polygon, x, y) {
    let inside = false;
    for (const ring of polygon) {
      const corners = [];
      parts.walk(ring, (cx, cy) => corners.push([cx, cy]));
      for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
        const a = corners[i], b = corners[j];
        if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
      }
    }
    return inside;
  };
})();
