// The panel over the map: which layers, which states (with their symbols: the legend), how many; and the north arrow.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  parts.element = element;

  function symbolPicture(symbol, isDark) {
    const canvas = element("canvas", "gridman-symbol");
    const ratio = Math.max(2, window.devicePixelRatio || 1);
    canvas.width = canvas.height = 22 * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    parts.drawSymbol(ctx, 11, 11, 7, symbol, isDark);
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  function choice(name, isOn, onChange, picture) {
    const row = element("label", "gridman-choice");
    const box = element("input");
    box.type = "checkbox";
    box.checked = isOn;
    box.addEventListener("change", () => onChange(box.checked));
    row.append(box);
    if (picture) row.append(picture);
    row.append(element("span", "", name));
    return row;
  }

  parts.Panel = L.Control.extend({
    options: { position: "topright" },

    initialize(state, words, actions) {
      this._state = state;
      this._words = words;
      this._actions = actions;
    },

    onAdd(map) {
      this._box = element("div", "gridman-panel leaflet-bar");
      this._isOpen = map.getSize().x > 760 && map.getSize().y > 480;
      L.DomEvent.disableClickPropagation(this._box);
      L.DomEvent.disableScrollPropagation(this._box);
      this.draw();
      return this._box;
    },

    draw() {
      const state = this._state, words = this._words;
      this._box.replaceChildren();
      const head = element("button", "gridman-panel-head", words.legend);
      head.type = "button";
      head.setAttribute("aria-expanded", String(this._isOpen));
      head.addEventListener("click", () => {
        this._isOpen = !this._isOpen;
        this.draw();
      });
      this._box.append(head);
      if (!this._isOpen) return;
      const body = element("div", "gridman-panel-body");
      for (const layer of ["base", "grids", "buildings", "incidents"]) {
        if (!state.offered.includes(layer)) continue;
        body.append(choice(words[layer], state.shown[layer], (on) => this._actions.layer(layer, on)));
      }
      const counts = this._counts();
      body.append(element("div", "gridman-panel-title", words.states));
      for (const code of Object.keys(state.symbols)) {
        if (!code || (counts && !counts[code])) continue;
        const symbol = state.symbols[code];
        const name = counts ? symbol.name + " · " + counts[code] : symbol.name;
        body.append(choice(name, !state.hidden.has(code), (on) => this._actions.state(code, on), symbolPicture(symbol, state.isDark)));
      }
      this._box.append(body);
    },

    _counts() {
      if (!this._state.incidents) return null;
      const counts = {};
      for (const incident of this._state.incidents) counts[incident.state] = (counts[incident.state] || 0) + 1;
      return counts;
    },
  });

  parts.North = L.Control.extend({
    options: { position: "topleft" },
    initialize(words) {
      this._words = words;
    },
    onAdd() {
      const box = element("div", "gridman-north leaflet-bar");
      box.title = this._words.north;
      box.setAttribute("role", "img");
      box.setAttribute("aria-label", this._words.north);
      const arrow = element("span", "gridman-north-arrow");
      box.append(arrow, element("span", "", this._words.northLetter));
      return box;
    },
  });
})();
