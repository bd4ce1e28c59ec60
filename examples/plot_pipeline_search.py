"""
=====================================
Pipelines and searches
=====================================

``DDCLClustering`` is an ordinary estimator. It ends a Pipeline as a clusterer, stands in the
middle of one as a transformer, and `GridSearchCV` reaches into its option objects.
"""

# %%
# A clusterer at the end of a Pipeline, searched without labels. The score is the silhouette in
# the space of the input. `SingleSplit` fits and scores the same rows, once for each candidate.
# ``n_jobs=2`` works too; starting processes only pays for searches longer than this one.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClustering
from sklearn_ddcl.displays import PrototypeDisplay
from sklearn_ddcl.metrics import nmi_scorer, silhouette_scorer
from sklearn_ddcl.model_selection import SingleSplit
from sklearn_ddcl.options import GeometricTemperature

X, y = load_digits(return_X_y=True)
X = X / 16

clusterer = make_pipeline(
    PCA(random_state=0),
    DDCLClustering(backbone=None, temperature=GeometricTemperature(), random_state=0),
)
search = GridSearchCV(
    clusterer,
    {
        "pca__n_components": [8, 32],
        "ddclclustering__n_clusters": [5, 10, 15],
        "ddclclustering__temperature__factor": [0.6, 0.8],
    },
    scoring=silhouette_scorer,
    cv=SingleSplit(),
)
search.fit(X)
print("Search without labels, silhouette of the pixels")
for number in np.argsort(-search.cv_results_["mean_test_score"])[:3]:
    params = search.cv_results_["params"][number]
    shown = ", ".join(f"{name.split('__', 1)[1]}={value}" for name, value in params.items())
    print(f"  {search.cv_results_['mean_test_score'][number]:.3f}  {shown}")
print(f"  NMI of the best with the digits: {nmi_scorer(search.best_estimator_, X, y):.3f}")

# %%
# A transformer before a classifier. ``output="distances"`` (the default, as in KMeans) and
# ``output="assignments"`` give one feature a cluster; ``output="embedding"`` passes the features
# on in which the clusters were found, here the samples themselves.

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
classifier = make_pipeline(
    DDCLClustering(40, backbone=None, random_state=0),
    StandardScaler(),
    LogisticRegression(max_iter=2000),
)
print("\nLogistic regression after DDCLClustering(40), accuracy on held-out digits")
for output in ("distances", "assignments", "embedding"):
    classifier.set_params(ddclclustering__output=output).fit(X_train, y_train)
    n_features = classifier[-1].n_features_in_
    print(f"  {output:<12}{classifier.score(X_test, y_test):.3f}  ({n_features} features)")

# %%
# The prototypes of a Pipeline are mapped back through its steps: here from PCA to pixels.

display = PrototypeDisplay.from_estimator(search.best_estimator_, X, y, image_shape=(8, 8))
display.figure_.savefig("pipeline_prototypes.png", dpi=150)
print("\nPicture of the best candidate's prototypes: pipeline_prototypes.png")
