// Where native TensorFlow comes from: names, sizes and checksums of everything that setup:tensorflow downloads.
// PyPI's figures are those of its index (https://pypi.org/simple/NAME/). Google publishes none: those of its archives
// were taken from the Bazel build files of two projects that pin them (wamuir/graft among them).
import { SetupError } from './messages.mjs';

const tensorflow = '2.15.1';
const x64 = 'manylinux_2_17_x86_64.manylinux2014_x86_64';
const arm64 = 'manylinux_2_17_aarch64.manylinux2014_aarch64';

/**
 * @typedef {{ file: string, version: string, bytes?: number, sha256: string, package?: string, url?: string }} Archive
 */

/** @returns {Archive} */
function wheel(name, version, tag, bytes, sha256) {
  return { package: name, version, file: `${name.replaceAll('-', '_')}-${version}-${tag}.whl`, bytes, sha256 };
}

/** @returns {Archive} */
function google(system, sha256) {
  const file = `libtensorflow-${system}-2.15.0.tar.gz`;
  return { file, version: '2.15.0', sha256, url: `https://storage.googleapis.com/tensorflow/libtensorflow/${file}` };
}

function nvidia(name, version, bytes, sha256) {
  return wheel(`nvidia-${name}-cu12`, version, 'py3-none-manylinux1_x86_64', bytes, sha256);
}

// The versions that tensorflow[and-cuda] 2.15.1 asks for. NCCL and cuRAND are left out: the library's run path leads to
// neither.
const cuda = [
  nvidia('cublas', '12.2.5.6', 417_825_305, 'f448d8db463f9a2c7dd9a1e607c0961d3e95f825b86839c5882f7d073d406df0'),
  nvidia('cuda-cupti', '12.2.142', 13_900_552, 'ce68d1009dd14215e38ed49643d31374c71d6fea381181cb0b9da7f19dfd1624'),
  nvidia('cuda-nvcc', '12.2.140', 21_319_729, 'c6ff4ae7a636eb6cab7621191e19ac3779690686bbcf52c04d8b1ca2944e1e27'),
  nvidia('cuda-nvrtc', '12.2.140', 23_430_053, 'b1cdcae6443cb7cdcfb5d1bf51896a148c9f82f9e65b27db9ab095eaed689aa7'),
  nvidia('cuda-runtime', '12.2.140', 845_802, 'acb9cb7e44594a3512533497ea790d9f0b0e399abcc888584c157d1ffa080e41'),
  nvidia('cudnn', '8.9.4.25', 720_096_787, '9f882d5b11753c566fd32427839089eb4f8ba7a58c28446ad359e32c40229723'),
  nvidia('cufft', '11.0.8.103', 98_570_970, '72e961e578f9be9e316ccb4db8652c421dd0b57442624faa71061d452f449a67'),
  nvidia('cusolver', '11.5.2.141', 124_890_758, '5a85c4653ce34339a5688137f494a0f903e0f0532418550998167f00844161da'),
  nvidia('cusparse', '12.1.2.141', 195_268_625, '4e13d6a51d2303dcb2a023ba09546811161f0334fc64e13689397bbd3b1eb126'),
  nvidia('nvjitlink', '12.2.140', 20_177_273, '95635cafbf9f96c38bea5200ab145a2e6aefbb5405e0b04c1e4ba54df2d84ec9'),
];

const cp311 = (tag) => `cp311-cp311-${tag}`;

/** @type {Record<string, Record<string, Archive[]>>} by source and flavour, then by platform */
const archives = {
  'wheel cpu': {
    'linux-x64': [
      wheel(
        'tensorflow-cpu',
        tensorflow,
        cp311(x64),
        207_208_420,
        '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
      ),
    ],
    'linux-arm64': [
      wheel(
        'tensorflow-cpu-aws',
        tensorflow,
        cp311(arm64),
        211_874_120,
        'd4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e',
      ),
    ],
    'darwin-x64': [
      wheel(
        'tensorflow-cpu',
        tensorflow,
        cp311('macosx_10_15_x86_64'),
        236_482_774,
        'ee3bb114c6031d471d891c761e7eda2c80bea19bb318abcd3d5bab92ccfaf9aa',
      ),
    ],
    'darwin-arm64': [
      wheel(
        'tensorflow',
        tensorflow,
        cp311('macosx_12_0_arm64'),
        205_736_374,
        'aa926114d1e13ffe5b2ea59c3f195216f26646d7fe36e9e5207b291e4b7902ff',
      ),
    ],
  },
  'wheel gpu': {
    'linux-x64': [
      wheel(
        'tensorflow',
        tensorflow,
        cp311(x64),
        475_258_663,
        'bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4',
      ),
      ...cuda,
    ],
  },
  'google cpu': {
    'linux-x64': [google('cpu-linux-x86_64', 'f0fd1eb5db9e4e0603f10aec289574d1decb54f73b675f0ce476fea1f05838c8')],
    'darwin-x64': [google('cpu-darwin-x86_64', '6bc4cd060633bd08cde7934e7792ec8c2082049c706753e564ec0381a4a0b2da')],
  },
  'google gpu': {
    'linux-x64': [google('gpu-linux-x86_64', 'adefd913b88c042b8561d5c888bf7a1ea87c64bf5b8f40dbd07469f30ce763ff')],
  },
};

/**
 * The archives of one source for one platform.
 * @param {'wheel' | 'google'} source
 * @param {boolean} gpu
 * @param {string} system platform and processor, `linux-x64` for instance
 * @returns {Archive[]}
 */
export function archivesFor(source, gpu, system) {
  const found = archives[`${source} ${gpu ? 'gpu' : 'cpu'}`][system];
  if (found) return found;
  if (system.startsWith('win32')) {
    throw new SetupError(
      'Native TensorFlow is not available on Windows: nobody publishes what it needs there.',
      'Earwitness trains there by WebGPU or WebAssembly. In WSL this command works.',
    );
  }
  throw new SetupError(
    `There is no ${gpu ? 'GPU' : 'CPU'} build of TensorFlow from "${source}" for ${system}.`,
    gpu ? 'GPU builds are for Linux on x64.' : 'Try --from wheel, or --from FOLDER with a build of your own.',
  );
}

/**
 * The archive with this file name, undefined where it is none of those known.
 * @param {string} file
 */
export function knownArchive(file) {
  return Object.values(archives)
    .flatMap((systems) => Object.values(systems).flat())
    .find((archive) => archive.file === file);
}

/**
 * Stops where a file is not the one that is meant.
 * @param {string} file
 * @param {string} expected SHA-256
 * @param {string} found SHA-256
 */
export function requireChecksum(file, expected, found) {
  if (expected === found) return;
  throw new SetupError(
    `${file} is not the file it should be: its SHA-256 is\n  ${found}\ninstead of\n  ${expected}`,
    'It was not used. It may have been cut short, or something on the way (a proxy, a mirror) changes files; try again or ' +
      'from another network.',
  );
}

/**
 * What a wheel holds that is needed: TensorFlow's libraries and the headers of its C interface, all of NVIDIA's
 * libraries, and the licences.
 * @param {string} name of a file in a wheel
 * @returns {string | undefined} its place in the unpacked folder
 */
export function placeOfWheelMember(name) {
  const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.(?:so\.2|2\.dylib))$/.exec(name);
  if (library) return `lib/${library[1]}`;
  const header = /^tensorflow\/include\/((?:tensorflow\/c|tensorflow\/core\/platform|tsl|xla\/tsl)\/.*\.h)$/.exec(name);
  if (header) return `include/${header[1]}`;
  if (/^nvidia\/[^/]+\/(?:lib|bin|nvvm)\//.test(name)) return name;
  const licence =
    /^(?:([^/]+)\.dist-info\/(?:licenses\/)?(License\.txt|LICENSE)|tensorflow\/(THIRD_PARTY_NOTICES\.txt))$/.exec(name);
  if (licence) return `licences/${licence[1] ?? 'tensorflow'}-${licence[2] ?? licence[3]}`;
  return undefined;
}

/**
 * The platform tags to ask pip for, so that it takes these wheels whatever Python it runs in.
 * @param {string} system
 */
export function pipPlatforms(system) {
  return {
    'linux-x64': ['manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64'],
    'linux-arm64': ['manylinux_2_17_aarch64', 'manylinux2014_aarch64'],
    'darwin-x64': ['macosx_10_15_x86_64'],
    'darwin-arm64': ['macosx_12_0_arm64'],
  }[system];
}

/**
 * The command line of setup:tensorflow.
 * @param {string[]} args
 * @returns {{ gpu: boolean, from: string | undefined, remove: boolean, cache: boolean, help: boolean }}
 */
export function parseArguments(args) {
  const options = { gpu: false, from: undefined, remove: false, cache: false, help: false };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index];
    const usage = (what) => new SetupError(what, 'See `npm run setup:tensorflow -- --help`.', 2);
    if (arg === '--from' || arg.startsWith('--from=')) {
      options.from = arg === '--from' ? args[(index += 1)] : arg.slice('--from='.length);
      if (!options.from || options.from.startsWith('-')) throw usage('--from needs wheel, google or a file or folder.');
    } else if (['--gpu', '--remove', '--cache', '--help'].includes(arg)) options[arg.slice(2)] = true;
    else throw usage(`Unknown option ${arg}.`);
  }
  if (options.cache && !options.remove) {
    throw new SetupError('--cache goes with --remove.', 'See `npm run setup:tensorflow -- --help`.', 2);
  }
  return options;
}
