/** How electron-builder is to pack the window, and make installers of what was packed. */
import type { Configuration } from 'electron-builder';
import { signingIsSet } from './build-record.ts';

interface Places {
  /** Where electron-builder writes. */
  output: string;
  /** Icons and entitlements. */
  icons: string;
  electronDist: string;
  electronVersion: string;
}

/** The executable's name on Linux; elsewhere the product's. `earwitness` is the command line. */
export const linuxExecutable = 'earwitness-workstation';

/**
 * @param name of the files that are made, without ending
 * @param platform that is packed for
 */
export function configuration(
  { output, icons, electronDist, electronVersion }: Places,
  name: string,
  platform: string = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): Configuration {
  const signed = signingIsSet(platform, env);
  return {
    appId: 'org.earwitness.workstation',
    productName: 'Earwitness',
    copyright: 'GPL-3.0-or-later',
    directories: { output, buildResources: icons },
    // The shell alone; the engine, which a plain Node runs, lies beside the archive (scripts/package/fill.ts).
    files: ['**/*', '!node_modules'],
    asar: true,
    electronDist,
    electronVersion,
    npmRebuild: false,
    publish: null,
    electronLanguages: ['en-US', 'en-GB'],
    forceCodeSigning: env['EARWITNESS_REQUIRE_SIGNED'] === '1' && platform !== 'linux',
    electronFuses: {
      // Neither a Node for other programs nor one that the environment bends.
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
      // Stays: the end-to-end tests drive a package by it, and whoever may start it may do all that it may.
      enableNodeCliInspectArguments: true,
      resetAdHocDarwinSignature: platform === 'darwin',
    },
    artifactName: `${name}.\${ext}`,
    linux: {
      executableName: linuxExecutable,
      category: 'AudioVideo',
      synopsis: 'Is recorded speech a human voice or a machine’s?',
      icon: `${icons}/icon.png`,
    },
    win: {
      icon: `${icons}/icon.ico`,
      // Without a certificate there is nothing to sign with; the file's own description is set all the same.
      signExecutable: signed,
    },
    nsis: {
      oneClick: false,
      perMachine: true,
      allowToChangeInstallationDirectory: true,
      // Cases and keys are not the program's to remove.
      deleteAppDataOnUninstall: false,
      artifactName: `${name}-setup.\${ext}`,
    },
    mac: {
      icon: `${icons}/icon.icns`,
      category: 'public.app-category.utilities',
      hardenedRuntime: true,
      gatekeeperAssess: false,
      // The engine's Node compiles code, and loads parts that others signed.
      entitlements: `${icons}/entitlements.plist`,
      entitlementsInherit: `${icons}/entitlements.plist`,
      notarize: signed && Boolean(env['APPLE_API_KEY'] || env['APPLE_ID'] || env['APPLE_KEYCHAIN_PROFILE']),
      ...(!signed && { identity: null }),
    },
    dmg: { title: 'Earwitness', sign: false, artifactName: `${name}.\${ext}` },
  };
}

export const entitlements = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
  <dict>
    <key>com.apple.security.cs.allow-jit</key><true/>
    <key>com.apple.security.cs.allow-unsigned-executable-memory</key><true/>
    <key>com.apple.security.cs.disable-library-validation</key><true/>
  </dict>
</plist>
`;
