/** More digits than any number that a double holds needs to be told from a tie. */
const MORE = 40;

/**
 * Python's `f'{value:.{digits}f}'` of a finite number below 1e21. JavaScript's `toFixed` rounds ties away from zero, Python's to even.
 *
 * @internal
 */
export function fixed(value: number, digits: number): string {
  const size = Math.abs(value);
  return signed(value, toEven(size.toFixed(digits), size.toFixed(digits + MORE)));
}

/**
 * Python's `f'{value:.{digits}e}'` of a finite number: ties go to even, the exponent has two digits or more.
 *
 * @internal
 */
export function exponential(value: number, digits: number): string {
  const size = Math.abs(value);
  const [rounded, power] = size.toExponential(digits).split('e') as [string, string];
  const [exact, exactPower] = size.toExponential(digits + MORE).split('e') as [string, string];
  // 9.99995 rounds to another power; the last digit of the one below is odd.
  const mantissa = power === exactPower ? toEven(rounded, exact) : rounded;
  return signed(value, `${mantissa}e${power[0]}${power.slice(1).padStart(2, '0')}`);
}

/** A number that was rounded, or the one below it where the exact one is in the middle and the one below is even. */
function toEven(rounded: string, exact: string): string {
  const below = exact.slice(0, -MORE).replace(/\.$/, '');
  const isTie = exact.endsWith(`5${'0'.repeat(MORE - 1)}`);
  return isTie && Number(below.at(-1)) % 2 === 0 ? below : rounded;
}

function signed(value: number, text: string): string {
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}
