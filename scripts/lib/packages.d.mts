export function isCurrent(stamp: Record<string, unknown>, key: Record<string, unknown>): boolean;
