// Which halves are tested; `npm test -- --light` says the light one alone.

const halves = (process.env.RECURRA_TEST_HALVES ?? 'light,torch').split(',');

/** Whether what needs libtorch is tested too. Otherwise those tests are left out, and counted as skipped. */
export const torchHalf = halves.includes('torch');
