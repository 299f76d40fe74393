/**
 * PyTorch's text as it is here: names in camelCase, values as JavaScript writes them. Nothing works in place. What optimizers here do not have,
 * since it chooses an implementation, is left out.
 */
export const translated = (text: string): string =>
  text
    .replaceAll(/^ {4}(capturable|decoupled_weight_decay|differentiable|foreach|fused): .*\n/gm, '')
    .replaceAll(/([a-z])_(.)/g, (_, before: string, letter: string) => before + letter.toUpperCase())
    .replaceAll(/\b(True|False)\b/g, (value) => value.toLowerCase())
    .replaceAll(', inplace=false', '')
    .replaceAll(/torch\.Size\((.*?)\)/g, '$1')
    .replaceAll(/(size=|betas: )\((.*?)\)/g, '$1[$2]')
    .replaceAll('dtype=torch.', 'dtype=')
    .replaceAll(/: (.*)e-0(\d)$/gm, ': $1e-$2')
    .replaceAll('. \n', '.\n');
