# Astronomer's project shape: give the runtime image of your choice, for example
#   docker build --build-arg RUNTIME_IMAGE=<your registry>/astro-runtime:<tag with Airflow 3.3> .
ARG RUNTIME_IMAGE=astro-runtime:3.3
FROM ${RUNTIME_IMAGE}

# The plugin, the DAGs and the triggerer import the package that is in include/.
ENV PYTHONPATH=/usr/local/airflow/include
