// Loads and predicts, by require; what it makes is an instance of what an import sees.
const { TextClassifier } = require('recurra');
const { nn, optim } = require('recurra/torch');

async function main() {
  const model = await TextClassifier.load('model.safetensors');
  const imported = await import('recurra');
  const torch = await import('recurra/torch');
  const { label } = await model.predict('my cat');
  const same = model instanceof imported.TextClassifier && torch.nn === nn && torch.optim === optim;
  console.log(JSON.stringify({ label, same }));
}

main();
