/**
 * The contrast of each piece of text with what is behind it, by WCAG's formula; the smallest ones come first. Runs in the page. Colours are
 * read from a canvas, since the page mixes them.
 */
export const CONTRASTS = `(() => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const over = (under, colour) => {
    context.fillStyle = 'rgb(' + under.join(',') + ')';
    context.fillRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    if (!element.checkVisibility() || element.closest('noscript, script, style')) continue;
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const back = behind.reduce(over, [255, 255, 255]);
    const [a, b] = [light(over(back, getComputedStyle(element).color)), light(back)];
    found.push({ contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), text: element.textContent.slice(0, 40), kind: element.className });
  }
  return found.sort((a, b) => a.contrast - b.contrast).slice(0, 3);
})()`;
