// Which files of a wheel are needed.

const license = /^[^/]+\.dist-info\/(licenses\/)?(LICENSE|NOTICE|License\.txt)$/;

/** What a wheel's file name begins with: `nvidia_cuda_runtime-13.0.96-`. */
export function wheelPrefix({ project, version }) {
  return `${project.replaceAll('-', '_')}-${version}-`;
}

/** `{ from, to }` for each file of the opened wheel that is unpacked; throws an Error naming what is missing. */
export function filesToUnpack(wheel, zip) {
  const chosen = [...wheel.libraries];
  const missing = chosen.filter(({ from }) => !zip.entries.has(from)).map(({ from }) => from);
  const { headers, keep } = wheel;
  for (const entry of zip.entries.values()) {
    if (entry.isFolder) continue;
    if (headers && entry.name.startsWith(headers.from))
      chosen.push({ from: entry.name, to: headers.to + entry.name.slice(headers.from.length) });
    else if (keep?.test(entry.name)) chosen.push({ from: entry.name, to: entry.name });
    else if (license.test(entry.name))
      chosen.push({ from: entry.name, to: `licenses/${wheel.project}/${entry.name.split('/').at(-1)}` });
  }
  if (headers && !chosen.some(({ to }) => to.startsWith(headers.to))) missing.push(headers.from);
  if (keep && !chosen.some(({ from }) => keep.test(from))) missing.push('libraries');
  if (missing.length > 0)
    throw new Error(
      `this wheel of ${wheel.project} ${wheel.version} is for another system: it has no ${missing.join(', ')} in it`,
    );
  return chosen;
}
