"""The lesson's networks in PyTorch, as Microsoft Learn's "Introduction to natural language processing with PyTorch" writes them,
and the two-layer bidirectional GRU that examples/lesson/gru.ts adds. The names of the parameters are those of examples/lesson."""
import torch
from torch.nn.utils.rnn import pack_padded_sequence


class RNNClassifier(torch.nn.Module):
    packed = False

    def __init__(self, vocab_size, embed_dim, hidden_dim, num_class):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, embed_dim)
        self.rnn = torch.nn.RNN(embed_dim, hidden_dim, batch_first=True)
        self.fc = torch.nn.Linear(hidden_dim, num_class)

    def forward(self, x):
        x = self.embedding(x)
        x, h = self.rnn(x)
        return self.fc(x.mean(dim=1))


class LSTMClassifier(torch.nn.Module):
    packed = False

    def __init__(self, vocab_size, embed_dim, hidden_dim, num_class):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, embed_dim)
        self.embedding.weight.data = torch.randn_like(self.embedding.weight.data) - 0.5
        self.rnn = torch.nn.LSTM(embed_dim, hidden_dim, batch_first=True)
        self.fc = torch.nn.Linear(hidden_dim, num_class)

    def forward(self, x):
        x = self.embedding(x)
        x, (h, c) = self.rnn(x)
        return self.fc(h[-1])


class LSTMPackClassifier(LSTMClassifier):
    packed = True

    def forward(self, x, lengths):
        x = self.embedding(x)
        pad_x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, c) = self.rnn(pad_x)
        return self.fc(h[-1])


class GRUClassifier(torch.nn.Module):
    packed = True

    def __init__(self, vocab_size, embed_dim, hidden_dim, num_class):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocab_size, embed_dim)
        self.rnn = torch.nn.GRU(embed_dim, hidden_dim, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = torch.nn.Linear(2 * hidden_dim, num_class)

    def forward(self, x, lengths):
        x = self.embedding(x)
        pad_x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.rnn(pad_x)
        return self.fc(torch.cat([h[-2], h[-1]], dim=1))


NETWORKS = {"rnn": RNNClassifier, "lstm": LSTMClassifier, "lstm-packed": LSTMPackClassifier, "gru": GRUClassifier}
