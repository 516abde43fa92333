/** What a network can look at. */
export const frontEndNames = ['mel', 'linear', 'phase', 'lfcc'] as const;
export type FrontEndName = (typeof frontEndNames)[number];
