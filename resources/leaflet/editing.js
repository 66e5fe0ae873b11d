// Drawing and changing a grid's boundary (leaflet-geoman). Every change is told at once, so that the program can check it.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});

  class Editing {
    // `onMode` is called when editing begins and ends: the map then shows less or more.
    constructor(map, state, tell, onMode) {
      Object.assign(this, { map, state, tell, onMode, layer: null, neighbours: null, wrong: null, purpose: "" });
      if (map.pm) {
        map.pm.setLang(state.language === "en" ? "en" : "zh");
        map.pm.setGlobalOptions({ snappable: true, snapDistance: 14, allowSelfIntersection: true, continueDrawing: false, limitMarkersToCount: 40 });
        map.on("pm:create", (event) => this._created(event.layer));
      }
    }

    get isActive() {
      return Boolean(this.layer || (this.map.pm && this.map.pm.globalDrawModeEnabled()));
    }

    _style() {
      return { color: this.state.theme.pick, weight: 3, fillColor: this.state.theme.pick, fillOpacity: 0.08, dashArray: null };
    }

    // Change a boundary: `geometry` is GeoJSON (Polygon or MultiPolygon); corners snap to the `neighbours`.
    edit(geometry, neighbours) {
      this.stop();
      this._show(neighbours);
      this.purpose = "edit";
      this._mode(true);
      this._take(L.geoJSON(geometry, { style: () => this._style() }).getLayers()[0]);
    }

    // Draw a new boundary, or a line that cuts one.
    draw(shape, neighbours) {
      this.stop();
      this._show(neighbours);
      this.purpose = shape === "Line" ? "line" : "draw";
      this._mode(true);
      this.map.pm.enableDraw(shape || "Polygon", { templineStyle: this._style(), hintlineStyle: { ...this._style(), dashArray: "5 5" }, pathOptions: this._style(), tooltips: true });
    }

    _created(layer) {
      this._take(layer);
      this._said(false);
    }

    _take(layer) {
      if (!layer) return;
      this.layer = layer.addTo(this.map);
      layer.pm.enable({ allowSelfIntersection: true, snappable: true });
      layer.on("pm:edit pm:markerdragend pm:vertexadded pm:vertexremoved", () => this._said(false));
    }

    _show(neighbours) {
      if (!neighbours) return;
      const style = { color: this.state.theme.grid, weight: 1, opacity: 0.5, fill: false };
      this.neighbours = L.geoJSON(neighbours, { style: () => style, interactive: false }).addTo(this.map);
      this.neighbours.eachLayer((layer) => layer.pm && layer.pm.disable());
    }

    _said(isFinal) {
      if (!this.layer) return;
      this.tell("drawn", { purpose: this.purpose, final: isFinal, geometry: this.layer.toGeoJSON(15).geometry });
    }

    finish() {
      this._said(true);
    }

    // What the program found wrong, marked in red.
    problems(geojson) {
      if (this.wrong) this.wrong.remove();
      this.wrong = null;
      if (!geojson) return;
      const style = { color: this.state.theme.wrong, weight: 3, fillColor: this.state.theme.wrong, fillOpacity: 0.35 };
      this.wrong = L.geoJSON(geojson, {
        pmIgnore: true, interactive: false, style: () => style,
        pointToLayer: (_feature, at) => L.circleMarker(at, { ...style, radius: 8, pmIgnore: true, interactive: false }),
      }).addTo(this.map);
    }

    _mode(isOn) {
      this.state.isEditing = isOn;
      this.onMode();
    }

    stop() {
      if (this.map.pm) this.map.pm.disableDraw();
      if (this.state.isEditing) this._mode(false);
      for (const name of ["layer", "neighbours", "wrong"]) {
        if (this[name]) this[name].remove();
        this[name] = null;
      }
    }
  }
  parts.Editing = Editing;
})();
