import { isIP } from 'node:net';
import { invalidArgument } from '../core/errors.js';
import { custom, type Kind } from '../core/options/kinds.js';

/** Fastify's names for addresses. */
const NAMED = ['loopback', 'linklocal', 'uniquelocal'];
const MOST_PROXIES = 100;
const EXPECTED = 'a number of proxies, or their addresses, such as "10.0.0.0/8, ::1" or "loopback",';

/** Whether a text is an address, optionally with a prefix, such as `10.0.0.0/8`. */
function isAddress(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return NAMED.includes(text);
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/**
 * The kind of `trustProxy`: trusted proxies. `true` is not allowed, since it would let each client choose its own
 * address.
 */
export const trustedProxies: Kind<number | string | false, number | string[] | false> = custom(
  EXPECTED,
  (name, value) => {
    if (value === false || value === 0) return false;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MOST_PROXIES) return value;
    if (typeof value !== 'string') throw invalidArgument(name, EXPECTED, value);
    const addresses = value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    if (addresses.length === 0 || !addresses.every(isAddress)) throw invalidArgument(name, EXPECTED, value);
    return addresses;
  },
);

/** Reads the flag: digits are a number of proxies. */
export function typedProxies(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
