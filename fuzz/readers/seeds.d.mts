export const SEEDS: string;
export function seedsOf(target: string): Buffer[];
