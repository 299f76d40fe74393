import { describe, expect, it } from 'vitest';
import { ScriptCounter } from '../../src/text/scripts.js';

function choiceFor(...texts: string[]) {
  const counter = new ScriptCounter();
  for (const text of texts) counter.add(text);
  return counter.choice;
}

describe('the tokenizer for some texts', () => {
  it.each([
    ['English', 'The invoice is wrong, as it was in May.'],
    ['Russian', 'Все люди рождаются свободными и равными в своём достоинстве и правах.'],
    ['Greek', 'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι'],
    ['Hebrew', 'כל בני האדם נולדו בני חורין'],
    ['Arabic', 'يولد جميع الناس أحراراً متساوين في الكرامة والحقوق'],
    ['Hindi', 'सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता'],
    ['Korean', '모든 인간은 태어날 때부터 자유로우며'],
    ['no letters', '12 + 30 = 42 🙂'],
    ['nothing', ''],
  ])('%s: basic_english', (_, text) => {
    expect(choiceFor(text)).toEqual({ tokenizer: 'basic_english', why: 'words are separated by spaces' });
  });

  it.each([
    ['Chinese', '人人生而自由,在尊严和权利上一律平等。'],
    ['Chinese beyond the first plane', '𠮷𠀋𠂢'],
    ['Japanese', 'すべての人間は、生まれながらにして自由である'],
    ['Thai', 'มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน'],
    ['Lao', 'ມະນຸດທຸກຄົນເກີດມາມີກຽດສັກສີ'],
    ['Khmer', 'មនុស្សទាំងអស់កើតមកមានសេរីភាព'],
    ['Burmese', 'လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့်'],
    ['Tibetan', 'འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་སྐྱེས་ཙམ་ཉིད་ནས་'],
    ['Amharic', 'የሰው፡ልጅ፡ሁሉ፡ሲወለድ፡ነጻ፡ነው፤'],
  ])('%s: unicode_words', (_, text) => {
    const why = '100 % of the letters are from scripts without spaces between words';
    expect(choiceFor(text)).toEqual({ tokenizer: 'unicode_words', why });
  });

  it('counts letters: from a tenth of them on it is unicode_words', () => {
    const why = (share: number) => `${share} % of the letters are from scripts without spaces between words`;
    expect(choiceFor('abcdefghi', '中')).toEqual({ tokenizer: 'unicode_words', why: why(10) });
    expect(choiceFor('abcdefghij', '中, 1.')).toEqual({ tokenizer: 'basic_english', why: why(9.1) });
  });

  it('looks at the beginning of a long text alone', () => {
    expect(choiceFor(`${'a'.repeat(2_000)}${'中'.repeat(10_000)}`).tokenizer).toBe('basic_english');
  });
});
