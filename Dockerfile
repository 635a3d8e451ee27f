# Astronomer's project shape: give the runtime image of your choice, for example
#   docker build --build-arg RUNTIME_IMAGE=<your registry>/astro-runtime:<tag with Airflow 3.3> .
ARG RUNTIME_IMAGE=astro-runtime:3.3
FROM ${RUNTIME_IMAGE}

# include/ is imported by the plugin, the DAGs and the triggerer, so it must be importable everywhere.
ENV PYTHONPATH=/usr/local/airflow
