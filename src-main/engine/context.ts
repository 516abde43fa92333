import type { OpenCases } from './open-cases.ts';
import type { EngineParts } from './parts.ts';

/** What every procedure of the engine works with. */
export interface EngineContext extends EngineParts {
  readonly cases: OpenCases;
}
