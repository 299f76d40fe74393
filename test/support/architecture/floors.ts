import type { Graph } from './cycles.js';

/** Rooms, floor by floor, the ground floor first. A room is a folder, or a file without its ending. */
export type Floors = readonly (readonly string[])[];

/** The room of a file: the longest that holds it. */
function roomOf(file: string, floors: Floors): { room: string; floor: number } | undefined {
  let found: { room: string; floor: number } | undefined;
  for (const [floor, rooms] of floors.entries()) {
    for (const room of rooms) {
      const holds = file.startsWith(`${room}/`) || file.replace(/\.\w+$/, '') === room;
      if (holds && room.length > (found?.room.length ?? -1)) found = { room, floor };
    }
  }
  return found;
}

/**
 * Finds arrows that do not run down: from a room to another on the same floor or above it.
 *
 * @param graph - Arrows between files.
 * @param floors - The rooms of all files.
 * @returns `file -> file` for each such arrow, and `file has no floor` for each file that no room holds; sorted.
 */
export function findRising(graph: Graph, floors: Floors): string[] {
  const rising = new Set<string>();
  for (const [from, targets] of graph) {
    const here = roomOf(from, floors);
    if (here === undefined) rising.add(`${from} has no floor`);
    for (const to of targets) {
      const there = roomOf(to, floors);
      if (there === undefined) rising.add(`${to} has no floor`);
      else if (here !== undefined && here.room !== there.room && here.floor <= there.floor)
        rising.add(`${from} -> ${to}`);
    }
  }
  return [...rising].sort();
}

/**
 * Finds arrows between two wings of a house, in either direction.
 *
 * @param graph - Arrows between files.
 * @param left - The rooms of one wing.
 * @param right - The rooms of the other.
 * @returns `file -> file` for each; sorted.
 */
export function findCrossings(graph: Graph, left: Floors, right: Floors): string[] {
  const wing = (file: string): Floors | undefined => [left, right].find((floors) => roomOf(file, floors) !== undefined);
  const crossings: string[] = [];
  for (const [from, targets] of graph) {
    for (const to of targets) {
      const [here, there] = [wing(from), wing(to)];
      if (here !== undefined && there !== undefined && here !== there) crossings.push(`${from} -> ${to}`);
    }
  }
  return crossings.sort();
}
