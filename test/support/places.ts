import type { SpannedText } from '../../src/index.js';

const PEOPLE = ['Ada', 'Bob', 'Carla', 'Dora Lee', 'Eve', 'Frank Ocean'];
const PLACES = ['Paris', 'New York', 'Rome', 'San Juan Hill'];

/** Sentences about people and places with their spans, of which a small tagger learns all in a moment. */
export function placeRows(count: number): SpannedText[] {
  return Array.from({ length: count }, (_, i) => {
    const [person, place] = [PEOPLE[i % 6]!, PLACES[(i * 7 + (i >> 2)) % 4]!];
    const text = i % 2 === 0 ? `In ${place}, 😀 ${person}  likes it` : `${person} lives in ${place}.`;
    const spanOf = (part: string, label: string) => {
      const start = text.indexOf(part);
      return { start, end: start + part.length, label };
    };
    return { text, spans: [spanOf(person, 'PER'), spanOf(place, 'LOC')] };
  });
}
