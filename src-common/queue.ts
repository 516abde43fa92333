/** In what the workers of a queue may differ from the machine that a scan is run from, where a person allows it. */
export const allowable = ['application', 'backend', 'ffmpeg'] as const;
export type Allowable = (typeof allowable)[number];
