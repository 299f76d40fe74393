"""The lesson's classifier, for any shape."""
import torch
from torch.nn.utils.rnn import pack_padded_sequence

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class Classifier(torch.nn.Module):
    def __init__(self, shape, packed):
        super().__init__()
        self.packed = packed
        directions = 2 if shape["bidirectional"] else 1
        self.embedding = torch.nn.Embedding(shape["vocabulary"], shape["embedding"])
        self.rnn = LAYERS[shape["cell"]](
            shape["embedding"],
            shape["hidden"],
            num_layers=shape["layers"],
            bidirectional=shape["bidirectional"],
            batch_first=True,
        )
        self.fc = torch.nn.Linear(directions * shape["hidden"], shape["classes"])

    def forward(self, tokens, lengths):
        """Logits [batch, classes] of tokens [batch, time] and lengths [batch].

        Without packing the state after the padding is taken, as the lesson does: less work than to look for each text's last token.
        """
        x = self.embedding(tokens)
        if self.packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, state = self.rnn(x)
        h = state[0] if isinstance(state, tuple) else state
        return self.fc(torch.cat([h[-2], h[-1]], 1) if self.rnn.bidirectional else h[-1])
