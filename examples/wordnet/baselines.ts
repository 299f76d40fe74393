import { basicEnglish, type LabelledText } from 'recurra';

/** Share of `test` that most frequent label of `train` gets right. */
export function majorityAccuracy(train: readonly LabelledText[], test: readonly LabelledText[]): number {
  const counts = new Map<string, number>();
  for (const { label } of train) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [[best]] = [...counts].sort((a, b) => b[1] - a[1]) as [[string, number]];
  return test.filter(({ label }) => label === best).length / test.length;
}

/** Accuracy of a multinomial naive Bayes with add-one smoothing: what a classifier that ignores the order of words reaches. */
export function naiveBayesAccuracy(train: readonly LabelledText[], test: readonly LabelledText[]): number {
  const words = new Map<string, Map<string, number>>();
  const labels = new Map<string, { rows: number; tokens: number }>();
  for (const { text, label } of train) {
    const tokens = basicEnglish(text);
    const seen = labels.get(label) ?? { rows: 0, tokens: 0 };
    labels.set(label, { rows: seen.rows + 1, tokens: seen.tokens + tokens.length });
    for (const token of tokens) {
      const perLabel = words.get(token) ?? new Map<string, number>();
      words.set(token, perLabel.set(label, (perLabel.get(label) ?? 0) + 1));
    }
  }
  let correct = 0;
  for (const { text, label } of test) {
    const known = basicEnglish(text).flatMap((token) => words.get(token) ?? []);
    let best = { label: '', score: Number.NEGATIVE_INFINITY };
    for (const [candidate, { rows, tokens }] of labels) {
      let score = Math.log(rows / train.length);
      for (const perLabel of known) score += Math.log(((perLabel.get(candidate) ?? 0) + 1) / (tokens + words.size));
      if (score > best.score) best = { label: candidate, score };
    }
    if (best.label === label) correct += 1;
  }
  return correct / test.length;
}
