/** Words of commands that are shown to be pasted. */

/** A text as one word of a POSIX shell: as it is when nothing in it is special, else in single quotes. */
export const shellWord = (text: string): string =>
  /^[\w.,:=@%+/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
