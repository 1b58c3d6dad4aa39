"""What do three ReLUs keep of eight linear classes? [PS16] Theorem 3 on the digits 0 to 7.

    python notebooks/digits_three_relus.py

A multinomial logistic regression gives each digit a linear score. lpnet finds the order of the digits and the three ReLUs whose
eight subset sums come nearest to these scores (Eq. 10); the label of the ReLUs is then just their activation pattern. Printed
for the held-out 30 %: the accuracy of both, the share of the examples that keep the label of the linear classifier, and the
share of those that condition (11) promises to keep it. U is not unique in Eq. (10), and another U of the same error may keep a
few labels more or less. Needs scikit-learn: pip install "lpnet[sklearn]".
"""

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from lpnet.compression.nearest.multiclass import nearest_patterns


# %%
def split(classes, components):
    """Training and held-out inputs, and their digits.

    Pixels, or principal components of the training part, scaled to [−1, 1]: (11) compares with ‖x‖_∞, so inputs that all use
    their range serve it best.
    """
    points, digits = load_digits(return_X_y=True)
    points, digits = points[digits < classes] / 8 - 1, digits[digits < classes]
    train, test, known, hidden = train_test_split(points, digits, test_size=0.3, random_state=0, stratify=digits)
    if components:
        scale = make_pipeline(PCA(components, svd_solver="full"), MinMaxScaler((-1, 1))).fit(train)
        train, test = scale.transform(train), scale.transform(test)
    return train, test, known, hidden


def row(classes, components):
    """A line of the table."""
    train, test, known, hidden = split(classes, components)
    model = LogisticRegression(C=1.0, max_iter=5000).fit(train, known)
    answer = nearest_patterns(model.coef_, model.intercept_)
    labels = answer.labels(test)
    relus = len(answer.hidden_bias)
    patterns = " ".join(f"{subset:0{relus}b}" for subset in answer.order)
    shares = [np.mean(labels.label == hidden), np.mean(answer(test) == hidden), labels.share_kept, labels.share_certified]
    sizes = [f"0 to {classes - 1}", str(train.shape[1]), str(relus), patterns, f"{answer.programs} of {answer.orders}"]
    return [*sizes, f"{float(answer.error):.4g}", *(f"{share:.1%}" for share in shares)]


def main(cases=((4, 0), (8, 0), (8, 20), (8, 8), (8, 3))):
    """Print the table; cases: classes, and principal components (0: all 64 pixels)."""
    head = ["digits", "d", "ReLUs", "pattern of each digit", "orders solved", "error"]
    head += ["linear accuracy", "ReLU accuracy", "label kept", "certified"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for classes, components in cases:
        print("| " + " | ".join(row(classes, components)) + " |", flush=True)


# %%
if __name__ == "__main__":
    main()
