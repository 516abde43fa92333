/**
 * What this program and its children write (databases, journals, reports, partial files) is for their owner's eyes, unless someone
 * says otherwise afterwards. The main thread of an entry has to import this: the mask is the process's.
 */
process.umask(0o077);
