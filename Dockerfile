# An image for every component: Airflow with the orchestrator installed. It is based on the official image by default, or
# on an Astronomer runtime with the same Airflow version by argument:
#   docker build --build-arg BASE_IMAGE=<your registry>/runtime:<tag with Airflow 3.3.2> .
# Packages are those of requirements.lock, by hash. --build-arg REQUIREMENTS=requirements.txt keeps what the base image has
# wherever the ranges allow it, which an image with many other providers may want.
# The tests have no container engine: they check the names in this file, and do not build it.
ARG BASE_IMAGE=apache/airflow:3.3.2-python3.11

FROM ${BASE_IMAGE} AS wheel
COPY pyproject.toml README.md LICENSE /tmp/source/
COPY include /tmp/source/include
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /tmp/wheel /tmp/source

FROM ${BASE_IMAGE}
ARG REQUIREMENTS=requirements.lock
COPY requirements.txt requirements.lock /tmp/requirements/
COPY --from=wheel /tmp/wheel /tmp/wheel
RUN pip install --no-cache-dir --requirement /tmp/requirements/${REQUIREMENTS} \
    && pip install --no-cache-dir --no-deps /tmp/wheel/*.whl

# The package's DAG bundle beside the DAGs folder (docs/adopt.md).
ENV AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST='[{"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {}}, {"name": "upgrades", "classpath": "upgrade_orchestrator.dag_bundle.UpgradesDagBundle", "kwargs": {}}]'
