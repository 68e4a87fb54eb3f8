"""What Python's frameworks read of a request: Flask, Django, aiohttp's cookies and forms by way of WSGI.

Usage: read_python.py flask|django PORT
"""
import json
import socketserver
import sys
import xml.etree.ElementTree as ElementTree
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


def texts(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, bytes):
        yield value.decode('utf-8', 'replace')
    elif value is not None:
        yield str(value)


def of_xml(body):
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError):
        return []
    found = []
    for element in root.iter():
        found += [element.tag, element.text or '', element.tail or '', *element.attrib, *element.attrib.values()]
    return found


def of_document(kind, body):
    """JSON by json.loads, which takes UTF-16 and UTF-32 too; XML by expat."""
    if 'xml' in kind:
        return of_xml(body)
    if 'json' in kind:
        try:
            return list(texts(json.loads(body)))
        except (ValueError, RecursionError):
            return []
    return []


def answer(found):
    return json.dumps([text.encode('utf-8', 'replace').decode('utf-8') for text in found])


def flask_application():
    from flask import Flask, request

    application = Flask(__name__)

    @application.route('/', methods=['GET', 'POST'])
    def read():
        body = request.get_data(cache=True, parse_form_data=False)
        found = list(texts(request.args.to_dict(flat=False))) + list(texts(request.cookies.to_dict(flat=False)))
        found += of_document((request.content_type or '').lower(), body)
        found += list(texts(request.form.to_dict(flat=False)))
        for name, file in request.files.items(multi=True):
            found += [name, file.filename or '', file.content_type or '']
        return application.response_class(answer(found), mimetype='application/json')

    return application


def django_application():
    import django
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.urls import path

    def read(request):
        body = b''
        if not (request.content_type or '').startswith('multipart/'):
            body = request.body
        found = list(texts(dict(request.GET.lists()))) + list(texts(request.COOKIES))
        found += of_document((request.META.get('CONTENT_TYPE') or '').lower(), body)
        found += list(texts(dict(request.POST.lists())))
        for name, files in request.FILES.lists():
            for file in files:
                found += [name, file.name or '', file.content_type or '']
        return HttpResponse(answer(found), content_type='application/json')

    settings.configure(
        DEBUG=False, SECRET_KEY='not a secret', ALLOWED_HOSTS=['*'], ROOT_URLCONF=(path('', read),), MIDDLEWARE=[]
    )
    django.setup()
    return WSGIHandler()


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == '__main__':
    application = flask_application() if sys.argv[1] == 'flask' else django_application()
    make_server('127.0.0.1', int(sys.argv[2]), application, server_class=Server, handler_class=Quiet).serve_forever()
