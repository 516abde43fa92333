/** Small programs that lie in a package: the command line's start, and the check of a folder against its list of hashes. */

/** `earwitness`: follows links to itself, so that one may stand in a folder on PATH. @param resources the way to them from its own folder */
export function posixLauncher(resources: string): string {
  return `#!/bin/sh
# With arguments the command line of Earwitness, without any its workstation.
here=$(dirname "$(readlink -f "$0")")/${resources}
exec "$here/node/node" "$here/engine/scripts/packaged.mjs" "$@"
`;
}

export const windowsLauncher = `@echo off\r
rem With arguments the command line of Earwitness, without any its workstation.\r
"%~dp0..\\resources\\node\\node.exe" "%~dp0..\\resources\\engine\\scripts\\packaged.mjs" %*\r
`;

/** @param links whether the package has links of its own, which the list leaves out (macOS) */
export function posixCheck(links: boolean): string {
  return `#!/bin/sh
# Compares every file of this folder with SHA256SUMS and tells of those that are not in it. Status 0: all is as it was packed.
cd "$(dirname "$0")" || exit 2
export LC_ALL=C
hash() { if command -v sha256sum > /dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
hash -c SHA256SUMS 2>&1 | grep -v ': OK$' > "$work/wrong"
cut -c67- SHA256SUMS | sort > "$work/listed"
find . ${links ? '-type f' : '! -type d'} | sed 's|^\\./||' | grep -vx -e SHA256SUMS -e SHA256SUMS.asc | sort > "$work/there"
comm -13 "$work/listed" "$work/there" | sed 's/$/: not in the list/' >> "$work/wrong"
if [ -s "$work/wrong" ]; then
  cat "$work/wrong"
  echo "This folder is not as it was packed: do not start what is in it."
  exit 1
fi
echo "All $(wc -l < SHA256SUMS | tr -d ' ') files are as they were packed. SHA-256 of the list itself, to compare with the one that you were told:"
hash SHA256SUMS
`;
}

export const windowsCheck = `# Compares every file of this folder with SHA256SUMS and tells of those that are not in it. Status 0: all is as it was packed.\r
Set-Location -LiteralPath $PSScriptRoot\r
$wrong = @()\r
$listed = @{}\r
foreach ($line in [IO.File]::ReadAllLines("$PSScriptRoot\\SHA256SUMS")) { $listed[$line.Substring(66)] = $line.Substring(0, 64) }\r
foreach ($file in Get-ChildItem -Recurse -File -Force) {\r
  $name = $file.FullName.Substring($PSScriptRoot.Length + 1).Replace('\\', '/')\r
  if ($name -eq 'SHA256SUMS' -or $name -eq 'SHA256SUMS.asc') { continue }\r
  if (-not $listed.ContainsKey($name)) { $wrong += "\${name}: not in the list"; continue }\r
  if ((Get-FileHash -LiteralPath $file.FullName -Algorithm SHA256).Hash -ne $listed[$name]) { $wrong += "\${name}: FAILED" }\r
  $listed.Remove($name)\r
}\r
foreach ($name in $listed.Keys) { $wrong += "\${name}: missing" }\r
if ($wrong.Count -gt 0) { $wrong; 'This folder is not as it was packed: do not start what is in it.'; exit 1 }\r
'All files are as they were packed. SHA-256 of the list itself, to compare with the one that you were told:'\r
(Get-FileHash -LiteralPath "$PSScriptRoot\\SHA256SUMS" -Algorithm SHA256).Hash.ToLower()\r
`;
