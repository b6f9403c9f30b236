# One image for web, worker, hooks, beat and release; compose.yaml says which is which.
FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# Each container has its own: numbers of processes must not be shared, bundles are in S3 or in a volume of their own.
RUN useradd --system codepush && mkdir -p var bundles && chown codepush var bundles
USER codepush
# Static files belong to the image, not to a volume. The key signs nothing: none is kept.
RUN SECRET_KEY=unused python manage.py collectstatic --noinput --verbosity 0
EXPOSE 8000
HEALTHCHECK CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "32", "--http", "1", "--no-ws", "--log-level", "error", "codepush_site.wsgi:application"]
