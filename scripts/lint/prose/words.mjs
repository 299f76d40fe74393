// The project's word list: what its prose does not say, and what it says instead.
//
// A `pattern` is matched without regard to case. A blank in it matches any white space, so that a phrase is found across
// the end of a line. Code is hidden before the match: in Markdown what stands in backticks and code blocks, in sources
// everything that is neither comment nor message.

/**
 * @typedef {object} Entry
 * @property {string} pattern - what is not written: the source of a regular expression
 * @property {string} use - what to write instead
 * @property {boolean} [exact] - capital letters are told from small ones
 */

/** @type {Entry[]} */
const ENTRIES = [
  // Amounts and places.
  {
    pattern:
      '(?<=\\b(?:the first|the last|after|by|of|in|for|at|with|these|than|as|and|or|every|up to|about) )so many\\b',
    use: 'the number itself: "the first N", "this many"',
  },
  { pattern: '\\b(?:in|at) one go\\b', use: '"at once", "in one step"' },
  {
    pattern: '\\bat the (?:least|most)(?=[\\s,.;:)])(?! (?:squares|significant|likely|recent|common|\\w+ly\\b))',
    use: '"at least", "at most"',
  },
  {
    pattern: '\\b(?:something|what (?:comes|stands|lies|is)) behind it\\b|\\bbehind it[.;:,]',
    use: '"after it"; "underlying"',
  },
  { pattern: '\\bbeside(?! the point)\\b', use: '"next to", "compared with", "as well as", "besides"' },
  {
    pattern:
      '\\bof (?:its|their) own(?=[.,;:)]| (?:and|or|but|that|which|who|whose|for|in|on|of|with|without|to|is|are|was|were|has|have|by|from|at|as|so|because|after|before|when|where|while|if|than)\\b)',
    use: '"its own X", "a separate X"',
  },
  { pattern: '\\bfor want of\\b', use: '"without", "for lack of"' },
  { pattern: '\\btwins?\\b', use: '"counterpart", "copy"' },

  // Verbs.
  { pattern: '\\b(?:go|goes|went|going|gone) on\\b(?! (?:the|a|an|holiday) )', use: '"continue"' },
  { pattern: '\\b(?:give|gives|gave|giving) way\\b', use: '"yield"' },
  { pattern: '\\bmend(?:s|ed|ing)?\\b', use: '"fix", "repair"' },
  { pattern: '\\b(?:is|are) waited for\\b', use: 'active voice: "X waits for Y"' },
  { pattern: '\\b(?:befell|befalls?|bears? out|bore out|forbears?|begets?)\\b', use: 'a plain verb' },
  { pattern: '\\bshall\\b', use: '"must", "will"' },
  { pattern: '\\b(?:is|are|was|were) nothing but\\b', use: '"is only"' },
  { pattern: '\\bhas not (?=(?:a|an|the|any|one|1)\\b)', use: '"does not have"' },
  { pattern: '\\bhave not (?=(?:a|an|the|any|one|1)\\b)', use: '"do not have"' },
  { pattern: '\\b(?:learnt|spelt|dreamt|burnt)\\b', use: 'the regular form: "learned"' },
  { pattern: '\\bbegun\\b', use: '"started"' },
  {
    pattern: '\\bfiles? (?:can|cannot|could|may) ?(?:not )?hold\\b|\\bfiles? holds?\\b',
    use: 'a file "contains", "stores"',
  },

  // Adverbs and connectives.
  { pattern: '\\banew\\b', use: '"again", "newly"' },
  { pattern: '\\b(?:up)?rightly\\b', use: '"correctly"' },
  { pattern: '\\bmeanwhile\\b', use: '"at the same time", "in the meantime", or nothing' },
  { pattern: '\\bfor ever\\b', use: '"forever", "permanently"' },
  { pattern: '\\bas said\\b', use: '"as described above", or nothing' },
  { pattern: '\\b(?:but|save|except) for rounding\\b', use: '"up to rounding"' },
  { pattern: '\\ball the same\\b', use: '"nevertheless", "still"' },
  { pattern: '\\ball else\\b', use: '"everything else"' },
  {
    pattern:
      '(?<!\\b(?:something|anything|nothing|everything|someone|anyone|everyone|somewhere|anywhere|elsewhere|nowhere|everywhere|what|who|where|if|and|or|little|much|the) )\\belse(?!:(?:\\s|$))(?=[.,;:)?])',
    use: '"otherwise"',
  },
  {
    pattern: '\\b(?:where|there|here)(?:by|in|of|upon|with|fore ?with)\\b(?<!\\btherefore)',
    use: '"by which", "in it", "so"',
  },
  {
    pattern: '\\b(?:whilst|amongst|unto|upon|till|lest|ere|albeit|nought|oft|hitherto|henceforth|forthwith)\\b',
    use: 'the modern word: "while", "among", "on", "until", "so that ... not"',
  },
  {
    pattern:
      ', for (?:a|an|the|it|they|this|that|these|those|there|he|she|we|one|some|nobody|nothing) (?:(?!that\\b|which\\b|who\\b|whose\\b)[\\w-]+ ){0,2}(?:is|are|was|were|would|has|had|have|can|cannot|could|does|do|may|must|will|needs?)\\b',
    use: '"because"',
  },
  { pattern: '\\bthe more so\\b|\\bso much the\\b', use: '"especially", or nothing' },
  { pattern: '\\bto the same bits\\b', use: '"bit for bit", "bit-identical"' },

  // Who acts.
  {
    pattern: '\\b(?:nobody|somebody|everybody|whoever|whosoever|whomever)\\b',
    use: 'who acts ("the caller", "the user"), "no one", "anyone", or the passive',
  },
  { pattern: '\\bwhatsoever\\b', use: '"any", or nothing' },

  // The order of words.
  {
    pattern: 'Of (?:a|an|each|every|such) [^,.;:]{1,60}, (?=[a-z])',
    exact: true,
    use: '"For a ...", or the subject first',
  },
  {
    pattern:
      '(?<!\\b(?:there|where there|if there|There) )\\b(?:is|are|was|were) no (?!longer\\b|more\\b|less\\b|fewer\\b|different\\b|better\\b|worse\\b|other\\b|larger\\b|smaller\\b|bigger\\b|faster\\b|slower\\b|one\\b|such\\b|match\\b|substitute\\b|use\\b|good\\b)(?=[a-z])',
    use: '"is not a"',
  },
  { pattern: '\\bwhat (?:is|are) its? own\\b', use: 'the noun' },

  // One word for each thing.
  { pattern: '\\bdata ?set\\b(?<=dataset)', use: '"data set"' },
  {
    pattern: '\\b(?:answered|labelled|classified) wrongly\\b|\\bwrongly (?:answered|labelled|classified)\\b',
    use: '"incorrectly", "misclassified"',
  },
  { pattern: '\\bthe (?:net|nets)\\b(?! (?:effect|result|gain|loss))', use: '"the network"' },
];

/** The list, compiled. */
export const WORDS = ENTRIES.map(({ pattern, use, exact }) => ({
  pattern: new RegExp(pattern.replaceAll(' ', '\\s+'), exact ? 'g' : 'gi'),
  use,
}));

/**
 * What of the list a text has.
 *
 * @param {string} text - prose, in which whatever is not prose is hidden
 * @returns {{ index: number, found: string, use: string }[]} in the order of the text
 */
export function findWords(text) {
  const finds = [];
  for (const { pattern, use } of WORDS) {
    for (const match of text.matchAll(pattern)) {
      if (match[0] === '') continue;
      const lead = match[0].search(/\S/);
      finds.push({ index: match.index + lead, found: match[0].trim().replace(/\s+/g, ' '), use });
    }
  }
  return finds.sort((a, b) => a.index - b.index);
}
