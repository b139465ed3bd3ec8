// How well all text that is shown can be told from what is behind it: [ratio, needed, text] of each that cannot.
(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3]) layers.unshift(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const poor = [];
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const found = ratio(parse(svg ? style.fill : style.color), behind(svg ? element.closest("svg").parentElement : element));
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    checked += 1;
    if (found < needed) poor.push([Number(found.toFixed(2)), needed, node.data.slice(0, 40)]);
  }
  // Edges of what is operated, and what is drawn, need 3.
  for (const element of document.querySelectorAll("button, input, select, rect.wave, rect.touched, rect.track, line.deadline")) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const inks = svg ? [style.fill, style.stroke].filter((c) => c !== "none") : [style.borderTopColor];
    const paper = behind(element.closest("svg")?.parentElement ?? element.parentElement);
    const found = Math.max(...inks.map((ink) => ratio(parse(ink), paper)));
    checked += 1;
    if (found < 3) poor.push([Number(found.toFixed(2)), 3, element.outerHTML.slice(0, 60)]);
  }
  return { poor, checked };
})()
