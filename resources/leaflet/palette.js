// Colours and strokes of the street map, light and dark, and how wide each kind of road is.
(function () {
  "use strict";
  const parts = (window.gridmanParts = window.gridmanParts || {});

  parts.THEMES = {
    light: {
      ground: "#f5f3ee", sea: "#c8dde8", water: "#bfd9e6", green: "#dbe8d0", pitch: "#cfe2c3", beach: "#f2e9cf",
      paved: "#ebe8e1", building: "#e2dcd2", buildingEdge: "#cbc3b5", rail: "#b4aea4", label: "#4b4741",
      labelSoft: "#7a756c", greenLabel: "#55794a", halo: "rgba(250,249,246,0.92)", grid: "#2d5fb8", gridLabel: "#23498f",
      gridHalo: "rgba(255,255,255,0.9)", pick: "#d9480f", pickFill: "rgba(217,72,15,0.13)", house: "#efe4cf", houseEdge: "#a98f5c",
      houseLabel: "#6d5625", ink: "#1f2937", paper: "#ffffff", wrong: "#c92a2a",
      roads: {
        primary: ["#fbe2a8", "#d5b566"], secondary: ["#fdf0c8", "#d9c68c"], tertiary: ["#ffffff", "#cfc9bd"],
        residential: ["#ffffff", "#d6d0c5"], service: ["#fcfbf9", "#dfdad0"], square: ["#f8f6f1", "#dcd6ca"], path: "#c9bfae",
      },
    },
    dark: {
      ground: "#1e2227", sea: "#14283a", water: "#183045", green: "#22322a", pitch: "#263a2f", beach: "#35322a",
      paved: "#262a30", building: "#2e343b", buildingEdge: "#3d454e", rail: "#59616b", label: "#ccd2d9",
      labelSoft: "#9099a3", greenLabel: "#8fb489", halo: "rgba(24,28,32,0.92)", grid: "#7fb0ff", gridLabel: "#b3d0ff",
      gridHalo: "rgba(20,24,28,0.85)", pick: "#ffa94d", pickFill: "rgba(255,169,77,0.16)", house: "#4a4232", houseEdge: "#93805a",
      houseLabel: "#e6d3a6", ink: "#e8ecf1", paper: "#23282e", wrong: "#ff8787",
      roads: {
        primary: ["#6d5d36", "#15181c"], secondary: ["#565039", "#15181c"], tertiary: ["#454d57", "#15181c"],
        residential: ["#3d444d", "#15181c"], service: ["#363c44", "#181b1f"], square: ["#30363d", "#181b1f"], path: "#525a64",
      },
    },
  };

  parts.FONT = '"Noto Sans SC", "HanaMinB", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", sans-serif';

  // Per road class: style, width in metres, least width in pixels, map zoom from which it is shown, drawing order.
  const CLASSES = {
    motorway: ["primary", 16, 2.4, 0, 9], trunk: ["primary", 15, 2.2, 0, 8], primary: ["primary", 13, 2, 0, 7],
    secondary: ["secondary", 11, 1.7, 0, 6], tertiary: ["tertiary", 9, 1.4, 12, 5], residential: ["residential", 7, 1, 13, 4],
    unclassified: ["residential", 7, 1, 13, 4], living_street: ["residential", 6, 1, 13, 4], road: ["residential", 7, 1, 13, 4],
    pedestrian: ["square", 6, 1, 15, 3], service: ["service", 3.6, 0.8, 15, 2],
  };
  const PATH = ["path", 1.4, 0.7, 16, 1];

  parts.roadClass = function (kind) {
    const plain = kind.replace(/_link$/, "");
    const found = CLASSES[plain] || PATH;
    return { style: found[0], metres: found[1] * (plain === kind ? 1 : 0.75), least: found[2], from: found[3], order: found[4] };
  };

  // Width in pixels of something `metres` wide, at a map zoom and latitude.
  parts.pixels = function (metres, zoom, lat) {
    return (metres * Math.pow(2, zoom)) / (156543.034 * Math.cos((lat * Math.PI) / 180));
  };
})();
