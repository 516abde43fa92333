"""Prints the reference values that the tests of src-main/evaluation hold as constants.

    python -m venv .venv && .venv/bin/pip install numpy scipy scikit-learn lir
    .venv/bin/python bench/peer/metrics_references.py

The scores are quantiles of logistic distributions, which a test can make anew without a random generator:
`logit((k + 1/2) / n) + shift`, rounded to one digit after the point where ties are wanted.

    bounds         lir.algorithms.bayeserror.elub (Netherlands Forensic Institute), log10
    calibration    sklearn.linear_model.LogisticRegression, weighted, penalised as ours is
    rates          scipy.stats.beta (Clopper-Pearson)
    cross-entropy  sklearn.isotonic.IsotonicRegression and NumPy
    areas          sklearn.metrics
"""

import numpy as np
from lir.algorithms.bayeserror import elub
from scipy.stats import beta
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score


def quantiles(count, shift, digits=None):
    share = (np.arange(count) + 0.5) / count
    values = np.log(share / (1 - share)) + shift
    return values if digits is None else np.round(values, digits)


def sample(bonafide, spoof, shift, digits=None):
    scores = np.r_[quantiles(bonafide, shift, digits), quantiles(spoof, -shift, digits)]
    return scores, np.r_[np.ones(bonafide), np.zeros(spoof)]


print("bounds (log10)")
for counts in ((50, 80, 2.0), (200, 1000, 3.0), (20, 20, 0.5), (300, 300, 6.0), (40, 60, -1.0)):
    llrs, truth = sample(*counts)
    lower, upper = elub(llrs / np.log(10), truth, add_misleading=1)
    print(f"  {counts}: {lower:.2f} {upper:.2f}")

print("calibration: a, b for llr = a s + b - logit(prior)")
for counts, prior, ridge in (((60, 90, 0.7), 0.5, 0.01 / 150), ((60, 90, 0.7), 0.05, 0.02), ((30, 400, 1.0), 0.5, 0.1)):
    scores, truth = sample(*counts)
    weights = np.where(truth == 1, prior / truth.sum(), (1 - prior) / (1 - truth).sum())
    mean = np.sum(weights * scores)
    deviation = np.sqrt(np.sum(weights * (scores - mean) ** 2))
    model = LogisticRegression(C=1 / ridge, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(((scores - mean) / deviation)[:, None], truth, sample_weight=weights)
    slope, offset = model.coef_[0, 0], model.intercept_[0]
    print(f"  {counts} {prior} {ridge:.6f}: {slope / deviation:.10f} {offset - slope * mean / deviation:.10f}")

print("rates: upper 95 % bounds")
for errors, count in ((0, 59), (0, 58), (3, 200), (2.5, 37.25), (0, 5000)):
    print(f"  {errors} of {count}: {beta.ppf(0.95, errors + 1, count - errors):.12f}")

print("cross-entropy in bits at log10 prior odds -1, 0, 2: given, after isotonic regression")
llrs, truth = sample(40, 70, 0.8, 1)
posterior = IsotonicRegression(y_min=0, y_max=1).fit_transform(llrs, truth)
with np.errstate(divide="ignore"):
    calibrated = np.log(posterior) - np.log1p(-posterior) - np.log(40 / 70)
for log10_odds in (-1, 0, 2):
    odds = 10.0**log10_odds
    row = []
    for values in (llrs, calibrated):
        bonafide = np.mean(np.logaddexp(0, -values[truth == 1] - np.log(odds)))
        spoof = np.mean(np.logaddexp(0, values[truth == 0] + np.log(odds)))
        row.append((odds * bonafide + spoof) / (1 + odds) / np.log(2))
    print(f"  {log10_odds}: {row[0]:.12f} {row[1]:.12f}")

print("areas of the same: AUC, average precision of bona fide and of spoofs")
print(f"  {roc_auc_score(truth, llrs):.12f} {average_precision_score(truth, llrs):.12f}", end=" ")
print(f"{average_precision_score(1 - truth, -llrs):.12f}")
