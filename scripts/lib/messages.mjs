// What set-up says goes to standard error, so that standard output belongs to the program that is started.

/** Something that the person can mend: the message says what happened, the advice what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} [advice]
   * @param {number} [exitCode]
   */
  constructor(message, advice, exitCode = 1) {
    super(advice ? `${message}\n${advice}` : message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Prints a set-up error's text, or a bug's stack, and sets the exit status. */
export function fail(error) {
  if (error instanceof SetupError) {
    say(error.message);
    process.exitCode = error.exitCode;
  } else {
    say(`This is a bug in Earwitness's set-up, please report it:\n${error?.stack ?? error}`);
    process.exitCode = 1;
  }
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/**
 * Progress of something long: on a terminal one line that is written over, elsewhere a line every ten seconds.
 * @param {string} label
 */
export function progress(label) {
  const terminal = process.stderr.isTTY;
  let lastMs = Date.now();
  let shown = false;
  return {
    /** @param {string} text */
    show(text) {
      const nowMs = Date.now();
      if (nowMs - lastMs < (terminal ? 200 : 10_000)) return;
      lastMs = nowMs;
      shown = true;
      process.stderr.write(terminal ? `\r\x1b[2K${label}: ${text}` : `${label}: ${text}\n`);
    },
    end() {
      if (terminal && shown) process.stderr.write('\r\x1b[2K');
    },
  };
}
