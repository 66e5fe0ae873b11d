// The map page: joins the parts, answers the program's commands (window.gridman) and tells it what the person did (the bridge).
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});
  const gridman = (window.gridman = window.gridman || {});
  const waiting = [];

  // Tell the program: a method of the object it registered as gridmanBridge. Until that is there, messages wait.
  function tell(method, message) {
    const bridge = window.gridmanBridge;
    if (!bridge) {
      if (waiting.length < 100) waiting.push([method, message]);
      return;
    }
    if (typeof bridge[method] !== "function") return;
    if (message === undefined) bridge[method]();
    else bridge[method](JSON.stringify(message));
  }

  function connect(onReady) {
    const arrived = () => {
      onReady();
      for (const [method, message] of waiting.splice(0)) tell(method, message);
    };
    if (window.gridmanBridge) return arrived();
    if (!window.qt || !window.qt.webChannelTransport) return onReady();
    const join = () =>
      new window.QWebChannel(window.qt.webChannelTransport, (channel) => {
        window.gridmanBridge = channel.objects.gridmanBridge;
        arrived();
      });
    if (window.QWebChannel) return join();
    const script = document.createElement("script");
    script.src = "qrc:///qtwebchannel/qwebchannel.js";
    script.onload = join;
    document.head.append(script);
  }

  gridman.start = function (map, config) {
    const symbols = {};
    for (const symbol of config.symbols) symbols[symbol.code] = symbol;
    const state = {
      language: config.language, symbols, offered: config.layers, hidden: new Set(), chosen: null, own: new Set(config.own || []),
      shown: { base: true, grids: true, buildings: true, incidents: true },
      incidents: config.incidents || null, theme: parts.THEMES[config.theme], isDark: config.theme === "dark",
    };
    for (const layer of Object.keys(state.shown)) state.shown[layer] = config.layers.includes(layer);

    map.getContainer().setAttribute("role", "application");
    map.getContainer().setAttribute("aria-label", config.words.map);
    map.attributionControl.setPrefix(false);
    map.attributionControl.addAttribution(parts.element("span", "", config.attribution).innerHTML);
    map.createPane("gridmanTop").style.zIndex = 450;
    map.getPane("gridmanTop").style.pointerEvents = "none";
    const tiles = new parts.TileLayer(state);
    const overlay = new parts.Overlay(state, tiles);
    // Many changes in one frame are one painting; an arrived tile repaints only what shows it.
    let pending = false, arrived = new Set();
    const repaint = (key) => {
      if (arrived && typeof key === "string") arrived.add(key);
      else arrived = null;
      if (pending) return;
      pending = true;
      L.Util.requestAnimFrame(() => {
        pending = false;
        const keys = arrived;
        arrived = new Set();
        tiles.repaint(keys);
        overlay.redraw();
      });
    };
    state.source = config.tiles ? new parts.EmbeddedSource(config.tiles) : new parts.LiveSource(config.tileBaseUrl, repaint);
    tiles.addTo(map);
    overlay.addTo(map);
    tiles.on("load tileload", () => overlay.redraw());

    const panel = new parts.Panel(state, config.words, {
      layer: (name, on) => { state.shown[name] = on; repaint(); },
      state: (code, on) => { state.hidden[on ? "delete" : "add"](code); overlay.closeFan(); overlay.redraw(); },
    });
    new parts.North(config.words).addTo(map);
    panel.addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    const editing = new parts.Editing(map, state, tell, () => repaint());
    const view = { map, state, tiles, overlay, panel, editing, repaint, config };
    pointing(view);
    commands(view);
    setTheme(view, config.theme);
    if (config.bounds) gridman.show({ bounds: config.bounds });
    connect(() => tell("ready"));
  };

  function setTheme(view, name) {
    view.state.theme = parts.THEMES[name] || parts.THEMES.light;
    view.state.isDark = name === "dark";
    const box = view.map.getContainer();
    box.classList.toggle("gridman-dark", view.state.isDark);
    box.classList.toggle("gridman-large", Boolean(view.config.isLarge));
    box.style.background = view.state.theme.ground;
    view.panel.draw();
    view.repaint();
  }

  // Clicks and the pointer's shape.
  function pointing(view) {
    const { map, overlay, state, editing } = view;
    map.on("click", (event) => {
      if (editing.isActive) return;
      const hit = overlay.hit(event.containerPoint);
      if (hit && hit.kind === "cluster") return openCluster(view, hit.item);
      if (!hit || !hit.isFanned) overlay.closeFan();
      const at = { lng: event.latlng.lng, lat: event.latlng.lat };
      const found = hit ? { kind: hit.kind, id: hit.id, state: hit.state, label: hit.label } : overlay.ground(event.latlng);
      choose(view, found ? { kind: found.kind, id: found.id } : null);
      if (view.config.incidents) showPopup(view, found, event.latlng);
      tell("picked", { ...(found || { kind: "ground", id: "" }), ...at });
    });
    map.on("mousemove", (event) => {
      if (editing.isActive) return;
      const hit = overlay.hit(event.containerPoint);
      const box = map.getContainer();
      box.style.cursor = hit ? "pointer" : "";
      const symbol = hit && state.symbols[hit.state];
      box.title = hit && hit.kind === "incident" ? [hit.label, symbol && symbol.name].filter(Boolean).join(" · ") : "";
    });
    map.on("zoomstart", () => overlay.closeFan());
  }

  function openCluster(view, item) {
    const { map, overlay } = view;
    const zoom = map.getZoom();
    const [x0, y0, x1, y1] = item.box;
    const isOneSpot = Math.max(x1 - x0, y1 - y0) < 2;
    if (zoom >= map.getMaxZoom() || (isOneSpot && item.members.length)) {
      if (item.members.length) overlay.openFan(map.unproject([item.px, item.py], zoom), item.members);
      return;
    }
    const bounds = L.latLngBounds(map.unproject([x0, y1], zoom), map.unproject([x1, y0], zoom));
    const closer = Math.min(map.getMaxZoom(), Math.max(zoom + 1, map.getBoundsZoom(bounds.pad(0.3))));
    map.setView(bounds.getCenter(), isOneSpot ? map.getMaxZoom() : closer);
  }

  // In a page of its own there is no record beside the map: what was clicked says itself.
  function showPopup(view, found, latlng) {
    if (!found) return view.map.closePopup();
    const incident = found.kind === "incident" && view.state.incidents.find((each) => each.id === found.id);
    const rows = incident ? incident.rows : [["", found.code]];
    const box = parts.element("div", "gridman-popup");
    box.append(parts.element("strong", "", found.label));
    const list = parts.element("dl");
    for (const [name, value] of rows) if (value) list.append(parts.element("dt", "", name), parts.element("dd", "", value));
    box.append(list);
    L.popup({ maxWidth: 320, offset: [0, incident ? -6 : 0] })
      .setLatLng(incident ? [incident.lat, incident.lng] : latlng)
      .setContent(box)
      .openOn(view.map);
  }

  function choose(view, chosen) {
    view.state.chosen = chosen && { kind: chosen.kind, id: String(chosen.id) };
    view.overlay.redraw();
  }

  // What the program may call.
  function commands(view) {
    const { map, state, overlay, editing } = view;

    // show({layers: ["base", "grids"], states: ["reported"], bounds: [west, south, east, north]}): every part may be left out.
    gridman.show = function (what) {
      if (what.layers) for (const layer of Object.keys(state.shown)) state.shown[layer] = what.layers.includes(layer);
      if (what.states) state.hidden = new Set(Object.keys(state.symbols).filter((code) => code && !what.states.includes(code)));
      if (what.bounds) {
        const [west, south, east, north] = what.bounds;
        map.fitBounds([[south, west], [north, east]], { animate: false, padding: [24, 24] });
      }
      view.panel.draw();
      view.repaint();
    };
    // select({kind: "incident" | "building" | "grid", id: "123", lng, lat}) marks it, and moves there when a place is given
    // that is out of view; select(null) takes the mark away.
    gridman.select = function (what) {
      choose(view, what);
      if (what && what.lng !== undefined && !map.getBounds().pad(-0.08).contains([what.lat, what.lng])) {
        map.panTo([what.lat, what.lng], { animate: false });
      }
    };
    gridman.flyTo = function (lng, lat, zoom) {
      map.setView([lat, lng], zoom || map.getZoom());
    };
    gridman.refresh = function (alsoBase) {
      state.source.refresh(Boolean(alsoBase));
      view.repaint();
    };
    gridman.setTheme = (name) => setTheme(view, name);
    gridman.edit = (geometry, neighbours) => editing.edit(geometry, neighbours);
    gridman.draw = (shape, neighbours) => editing.draw(shape, neighbours);
    gridman.finish = () => editing.finish();
    gridman.cancel = () => editing.stop();
    gridman.problems = (geojson) => editing.problems(geojson);
    // Whether everything in view has been fetched and drawn (for pictures and prints).
    gridman.isIdle = () => state.source.waiting === 0 && !view.tiles._loading && !overlay.isWaiting() && !map._animatingZoom;
    gridman.view = () => ({ lng: map.getCenter().lng, lat: map.getCenter().lat, zoom: map.getZoom() });
    gridman.hits = () => overlay._hits.map((hit) => ({ kind: hit.kind, id: hit.id, ...pointOnPage(view, hit) }));
  }

  function pointOnPage(view, hit) {
    const corner = view.map.layerPointToContainerPoint(view.overlay._bounds.min);
    return { x: Math.round(hit.x + corner.x), y: Math.round(hit.y + corner.y) };
  }
})();
