/** Milliseconds since the epoch. Passed in wherever time decides, so that a test can hold it still. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
